import Glibc
import JSON
import Store

/// The routes on a database of their own: real workers behind real sockets, each started when it is first asked.
package final class Service {
  /// The database.
  package let database: TestDatabase
  private var workers: [String: (program: Program, socket: FastCGISocket)] = [:]

  /// Makes a database with a key of each role, named after it, for the tenant `default`, and an admin's key for `other`.
  package convenience init() throws { try self.init(on: TestDatabase()) }

  /// The same on a given database.
  package init(on database: TestDatabase) throws {
    self.database = database
    let store = database.store()
    for role in Role.allCases {
      try store.createKey(role.rawValue, tenant: "default", KeyDraft(name: role.rawValue, role: role))
    }
    // No job runs here, and none is to be missed.
    try database.run("UPDATE alert_job_runs SET ran_at = now() + interval '1 day'")
    try store.createKey("elsewhere", tenant: "other", KeyDraft(name: "elsewhere", role: .admin))
  }

  /// What the workers that are started from now on find in their environment beside where the database is.
  package var settings: [String: String] = [:]

  /// What the workers find in their environment: by default no folder in which anything could be kept on this host.
  package var environment: [String: String] {
    ["ALERTING_DATABASE_URL": database.url, "ALERTING_STATE_DIRECTORY": "/nonexistent"].merging(settings) { $1 }
  }

  /// The answer to a request at a path that begins behind `/api/v1/alerts`, such as `/policies?page=2`.
  package func call(
    _ method: String, _ path: String, key: String? = "admin", type: String? = "application/json", prefer: String? = nil,
    from address: String? = nil, body: String = ""
  ) throws -> WebAnswer {
    try call(method, path, key: key, type: type, prefer: prefer, from: address, body: Array(body.utf8))
  }

  /// The same with any bytes as its body.
  package func call(
    _ method: String, _ path: String, key: String? = "admin", type: String? = "application/json", prefer: String? = nil,
    from address: String? = nil, body: [UInt8]
  ) throws -> WebAnswer {
    try WebAnswer(cgi: begin(method, path, key: key, type: type, prefer: prefer, from: address, body: body).output())
  }

  /// Sends a request, or only so many bytes of its records, and does not wait for the answer.
  package func begin(
    _ method: String, _ path: String, key: String? = "admin", type: String? = "application/json", prefer: String? = nil,
    from address: String? = nil, body: [UInt8] = [], bytes: Int = .max
  ) throws -> FastCGIConnection {
    var parameters = Self.parameters(method, path, key: key, type: type, body: body)
    parameters["HTTP_PREFER"] = prefer
    parameters["REMOTE_ADDR"] = address ?? "192.0.2.1"
    let route = path.dropFirst().prefix { $0 != "/" && $0 != "?" }
    let connection = try worker(String(route)).socket.connect()
    try connection.send(Array(FastCGIRecord.request(parameters, body: body).prefix(bytes)))
    return connection
  }

  /// The answer of the same program, started for this one request as plain CGI; it may be kept from writing files of more than so
  /// many bytes.
  package func callCGI(
    _ method: String, _ path: String, key: String? = "admin", type: String = "application/json", body: String = "",
    fileSizeLimit: Int? = nil
  ) throws -> WebAnswer {
    let body = Array(body.utf8)
    let parameters = Self.parameters(method, path, key: key, type: type, body: body)
    let route = path.dropFirst().prefix { $0 != "/" && $0 != "?" }
    let environment = environment.merging(parameters) { $1 }
    let program =
      if let fileSizeLimit {
        try Program(
          "/usr/bin/prlimit", arguments: ["--fsize=\(fileSizeLimit)", Program.directory + route],
          environment: environment, input: .bytes(body))
      } else {
        try Program(String(route), environment: environment, input: .bytes(body))
      }
    guard let ending = program.ending(), ending == .exit(0) else { throw SystemFailure("run \(route) as CGI", 0) }
    return try WebAnswer(cgi: program.standardOutput)
  }

  /// The process that answers for a route.
  package func worker(_ route: String) throws -> (program: Program, socket: FastCGISocket) {
    if let worker = workers[route] { return worker }
    let socket = try FastCGISocket()
    let worker = (program: try Program(route, environment: environment, input: .socket(socket)), socket: socket)
    workers[route] = worker
    return worker
  }

  /// Kills the process that answers for a route, whatever it is at. Another is started when it is next asked.
  package func kill(_ route: String) throws {
    let program = try worker(route).program
    program.signal(SIGKILL)
    guard program.ending() == .signal(SIGKILL) else { throw SystemFailure("kill \(route)", 0) }
    workers[route] = nil
  }

  private static func parameters(
    _ method: String, _ path: String, key: String?, type: String?, body: [UInt8]
  ) -> [String: String] {
    let root = path.hasPrefix("/health") ? "" : "/api/v1/alerts"
    var parameters = [
      "REQUEST_METHOD": method, "REQUEST_URI": root + path, "CONTENT_LENGTH": String(body.count),
      "HTTP_X_REQUEST_ID": "test-request",
    ]
    parameters["HTTP_AUTHORIZATION"] = key.map { "Bearer \($0)" }
    parameters["CONTENT_TYPE"] = type
    return parameters
  }
}

extension WebAnswer {
  /// The content as JSON.
  package var json: JSONValue {
    get throws { try JSONValue(parsing: body) }
  }

  /// A member of the content.
  package subscript(key: String) -> JSONValue? {
    get throws { try json.object?[key] }
  }

  /// The sentence of a problem.
  package var detail: String {
    get throws { try self["detail"]?.string ?? "" }
  }

  /// The pointers of a problem's faults.
  package var pointers: [String] {
    get throws {
      guard case .array(let errors) = try self["errors"] else { return [] }
      return errors.compactMap { $0.object?["pointer"]?.string }
    }
  }
}
