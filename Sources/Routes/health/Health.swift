import API
import FastCGI
import Store

/// Tells load balancers and people whether the service works: 200 while the database answers, 503 with the reason while not.
@main
struct Health {
  static func main() {
    // Connecting takes at most 1.5 s; a server that then is too busy for so small a question is told after 1.
    Route(path: "/health", [.openGet("", check)]).run(statementTimeout: 1)
  }

  static func check(_ request: Request, _ store: Store) throws -> Response {
    try store.checkSchema()
    return .json { writer in
      writer.object { members in
        members.add("status", "ok")
        members.add("database", "ok")
      }
    }
  }
}
