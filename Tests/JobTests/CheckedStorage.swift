import Glibc
import Host
import JSON
import TestSupport

/// A database with the programs that check it, and a receiver behind a hook of each kind.
final class CheckedStorage {
  /// Where the database is, or is not.
  let databaseURL: String
  let receiver: HTTPReceiver
  let mailbox: MailReceiver
  /// Where the checker keeps its state, and the command what it was told.
  let folder: String
  private var programs: [Program] = []

  static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  init(_ databaseURL: String) throws {
    self.databaseURL = databaseURL
    receiver = try HTTPReceiver()
    mailbox = try MailReceiver(.none)
    var name = Array("/tmp/tocsin-checked-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw SystemFailure("make a folder", errno) }
    folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try receiver.answer("/slack", with: .init(200, body: Array("ok".utf8)))
    try receiver.answer("/pd/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    try configure()
  }

  deinit {
    programs = []
    do {
      for place in [folder + "/spool", folder] where access(place, F_OK) == 0 {
        for name in try File.names(in: place) where unlink("\(place)/\(name)") != 0 { rmdir("\(place)/\(name)") }
      }
    } catch {
      Log.error("a test's files are left behind", ["folder": folder, "error": "\(error)"])
    }
    rmdir(folder)
  }

  /// One hook of each kind.
  var hooks: [JSONValue] {
    [
      [
        "name": "webhook", "kind": "webhook", "url": .string(receiver.plainURL + "/hook"),
        "signing_secret": .string(Self.secret),
      ],
      ["name": "slack", "kind": "slack", "webhook_url": .string(receiver.plainURL + "/slack")],
      ["name": "pagerduty", "kind": "pagerduty", "api_key": "0123456789abcdef0123456789abcdef"],
      [
        "name": "email", "kind": "email", "smtp_host": "localhost", "smtp_port": .number(JSONNumber(mailbox.port)),
        "use_tls": false, "from_email": "tocsin@example.com", "to_emails": ["on-call@example.com"],
      ],
      ["name": "command", "kind": "command", "command": ["/bin/sh", "-c", .string("cat >>\(folder)/told")]],
    ]
  }

  /// Writes the settings: a probe each second, an alert after two, and what is given beside that.
  func configure(_ settings: JSONObject = [:], hooks: [JSONValue]? = nil) throws {
    let all: JSONObject = [
      "probe_interval_secs": 1, "probe_timeout_secs": 4, "threshold_secs": 2,
      "service_name": "audit", "warn_free_percent": 0, "hooks": .array(hooks ?? self.hooks),
    ]
    try File.replace(folder + "/storage.json", with: all.overlaid(with: settings).json)
  }

  /// What a checker finds in its environment.
  var environment: [String: String] {
    [
      "ALERTING_DATABASE_URL": databaseURL, "ALERTING_STATE_DIRECTORY": folder,
      "ALERTING_STORAGE_CONFIG": folder + "/storage.json", "ALERTING_CHECK_STORAGE_SECONDS": "0",
      "ALERTING_PAGERDUTY_URL": receiver.plainURL + "/pd",
    ]
  }

  /// Starts a checker that runs until it is asked to end.
  @discardableResult
  func start(_ settings: [String: String] = [:]) throws -> Program {
    let program = try Program("check-storage", environment: environment.merging(settings) { $1 })
    programs.append(program)
    return program
  }

  /// The content of the state's file; empty where there is none.
  var state: String {
    get throws { String(decoding: try File.read(folder + "/check-storage.json"), as: UTF8.self) }
  }

  /// What each hook was told: `U` for an outage, `R` for its end, in order. What came with an id that was there before is left out
  /// where the receiver learns of one.
  func told() throws -> [String: String] {
    let posts = try receiver.requests(to: "/hook")
    var ids: Set<String> = []
    let fresh = posts.filter { ids.insert($0.headers["webhook-id"] ?? "").inserted }
    let commands = access(folder + "/told", F_OK) == 0 ? try File.read(folder + "/told") : []
    return [
      "webhook": try letters(fresh.map { try JSONValue(parsing: $0.body) }),
      "slack": try receiver.requests(to: "/slack").reduce("") { told, request in
        told + (String(decoding: request.body, as: UTF8.self).contains("Resolved: ") ? "R" : "U")
      },
      "pagerduty": try incidents().reduce("") { $0 + ($1["event_action"] == "resolve" ? "R" : "U") },
      "email": try mailbox.messages().reduce("") { $0 + ($1.text.contains("Subject: Re: ") ? "R" : "U") },
      "command": try letters(commands.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }),
    ]
  }

  private func letters(_ events: [JSONValue]) throws -> String {
    events.reduce("") { told, event in
      let names = event.object?.members.map(\.key) ?? []
      return told + (names == ["StorageUnreachable"] ? "U" : names == ["StorageRecovered"] ? "R" : "?")
    }
  }

  /// What PagerDuty got.
  func incidents() throws -> [JSONObject] {
    try receiver.requests(to: "/pd/v2/enqueue").compactMap { try JSONValue(parsing: $0.body).object }
  }

  /// Whether every hook was told so, and nothing else, within a time.
  func wasTold(_ letters: String, within seconds: Int = 40) throws -> Bool {
    try poll(within: seconds) { try told().values.allSatisfy { $0 == letters } }
  }
}
