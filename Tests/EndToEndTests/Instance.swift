import Foundation
import FoundationNetworking
import TestSupport

/// The whole service as `deploy/run` starts it: nginx, workers, jobs and a PostgreSQL of its own.
final class Instance: Sendable {
  let state: String
  let port: Int
  let key: String

  /// One for all tests that need no other; each test makes tenants of its own on it. It ends with the test program.
  static var shared: Instance { get async throws { try await starting.value } }

  private static let starting = Task {
    atexit { Instance.stopShared() }
    return try await Instance(state: sharedState, settings: ["ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8"])
  }
  private static let sharedState = newState()

  /// A state directory that no other test uses; deploy/test stops what is left running below its own.
  static func newState() -> String {
    let parent = ProcessInfo.processInfo.environment["TOCSIN_TEST_INSTANCES"] ?? "/tmp"
    return parent + "/tocsin-" + UUID().uuidString.prefix(8)
  }

  /// Starts an instance from the programs that were built with the tests.
  init(state: String = newState(), port: Int = freePort(), settings: [String: String] = [:]) async throws {
    self.state = state
    self.port = port
    let run = try await Self.run(["--detach", "--port", "\(port)", "--state", state], settings: settings)
    guard run.status == 0 else { throw Overdue(description: "deploy/run failed: \(run.errors)") }
    key = try String(contentsOfFile: state + "/api-key", encoding: .utf8).trimmingCharacters(in: .newlines)
  }

  /// deploy/run, with the programs that were built with the tests.
  static func run(_ arguments: [String], settings: [String: String] = [:]) async throws -> Command {
    // The tests' own database is none of the instance's business.
    let own = ["ALERTING_DATABASE_URL": "", "ALERTING_LISTEN": "127.0.0.1"]
    return try await Command.run(
      "deploy/run", ["--programs", Program.directory] + arguments, settings: own.merging(settings) { $1 })
  }

  /// A port that was free a moment ago.
  static func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        precondition(bind(descriptor, general, length) == 0 && getsockname(descriptor, general, &length) == 0)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
  }

  func stop() async throws -> Command {
    let stopped = try await Self.run(["--stop", "--state", state])
    try FileManager.default.removeItem(atPath: state)
    return stopped
  }

  private static func stopShared() {
    let stop = Process()
    stop.executableURL = Checkout.top.appending(path: "deploy/run")
    stop.arguments = ["--stop", "--state", sharedState]
    do {
      try stop.run()
      stop.waitUntilExit()
      try FileManager.default.removeItem(atPath: sharedState)
    } catch {
      print("the shared instance in \(sharedState) could not be stopped: \(error)")
    }
  }

  /// The operator's command line on this instance's database.
  func tocsin(_ arguments: [String], settings: [String: String] = [:], input: String = "") async throws -> Command {
    let database = ["ALERTING_DATABASE_URL": "postgresql:///tocsin?host=\(state)/run/postgres&user=tocsin"]
    return try await Command.run(
      Program.directory + "tocsin", arguments, settings: database.merging(settings) { $1 }, input: input)
  }

  /// The operator's command line on this instance's database.
  func tocsin(_ arguments: String..., settings: [String: String] = [:]) async throws -> Command {
    try await tocsin(arguments, settings: settings)
  }

  /// A key for a tenant.
  func makeKey(tenant: String, role: String = "admin") async throws -> String {
    let made = try await tocsin("keys", "create", "--tenant", tenant, "--role", role, "--name", "test")
    guard made.status == 0 else { throw Overdue(description: "no key: \(made.errors)") }
    return made.output.trimmingCharacters(in: .newlines)
  }

  func supervisorctl(_ arguments: String...) async throws -> Command {
    try await Command.run("supervisorctl", ["--configuration", state + "/supervisord.conf"] + arguments)
  }

  /// The process ids of a pool's workers, or of another program under the supervisor.
  func processes(of name: String) async throws -> [Int32] {
    let lines = try await supervisorctl("status", name + ":*").output.split(separator: "\n")
    return lines.compactMap { $0.firstMatch(of: #/RUNNING\s+pid (\d+)/#).flatMap { Int32($0.1) } }
  }

  /// All that its programs have logged.
  func logs() throws -> String {
    let folder = state + "/logs"
    return try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
      String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/\(name)")), as: UTF8.self)
    }.joined()
  }

  /// The answer of the service to one request.
  func send(
    _ path: String, method: String = "GET", key: String? = nil, type: String = "application/json",
    prefer: String? = nil,
    body: Data? = nil
  ) async throws -> Answer {
    guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else { throw URLError(.badURL) }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body
    if body != nil { request.setValue(type, forHTTPHeaderField: "Content-Type") }
    if let prefer { request.setValue(prefer, forHTTPHeaderField: "Prefer") }
    if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    let (content, response) = try await URLSession.shared.data(for: request)
    guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
    return Answer(response: response, body: content)
  }
}

/// What came back through nginx.
struct Answer {
  let response: HTTPURLResponse
  let body: Data

  var status: Int { response.statusCode }
  var text: String { String(decoding: body, as: UTF8.self) }
  func header(_ name: String) -> String? { response.value(forHTTPHeaderField: name) }

  /// The content, if it is an object in JSON.
  var json: [String: Any] {
    get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
  }
}
