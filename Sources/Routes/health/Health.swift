import API
import FastCGI
import Store

/// Tells load balancers and people whether the service works: 200 while the database answers and every job runs, 503 with the
/// reason while not.
@main
struct Health {
  static func main() {
    // Connecting takes at most 1.5 s; a server that then is too busy for so small a question is told after 1.
    Route(path: "/health", [.openGet("", check)]).run(statementTimeout: 1)
  }

  static func check(_ request: Request, _ store: Store) throws -> Response {
    let runs = try store.latestRuns()
    if let missed = runs.first(where: \.isOverdue) {
      throw Problem.notWorking(
        "The job \(missed.job) has not run on any host since \(missed.ranAt); see that it is started.")
    }
    return .json { writer in
      writer.object { members in
        members.add("status", "ok")
        members.add("database", "ok")
        members.add("jobs") { writer in
          writer.object { jobs in
            for run in runs { jobs.add(run.job, run.ranAt) }
          }
        }
      }
    }
  }
}
