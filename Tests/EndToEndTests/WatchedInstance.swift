import Foundation
import JSON
import Postgres
import TestSupport

/// An instance on a server that can fail, with a policy that every event meets, and a hook that is told of outages.
final class WatchedInstance {
  /// What the hook was told.
  struct Messages {
    var alerts = 0
    var recoveries = 0
    var eventsAffected = 0
  }

  let cluster: TestCluster
  let instance: Instance
  private let receiver: HTTPReceiver
  private let folder: TemporaryFolder
  private var seen = 0

  init(diskMegabytes: Int?) async throws {
    cluster = try TestCluster(diskMegabytes: diskMegabytes)
    receiver = try HTTPReceiver()
    folder = try TemporaryFolder()
    let settings = """
      {"threshold_secs": 1, "cooldown_secs": 3600, "probe_interval_secs": 1, "probe_timeout_secs": 2,
       "hooks": [{"name": "ops", "kind": "webhook", "url": "\(receiver.plainURL)/storage"}]}
      """
    let file = folder.path + "/storage.json"
    try Data(settings.utf8).write(to: URL(filePath: file))
    let own = try await Command.run("sh", ["-c", "chmod 711 '\(folder.path)' && chmod 644 '\(file)'"])
    guard own.status == 0 else { throw Overdue(description: "the hooks' file cannot be made readable") }
    instance = try await Instance(settings: ["ALERTING_DATABASE_URL": cluster.url, "ALERTING_STORAGE_CONFIG": file])
    let policy = """
      {"policy_id": "all", "name": "All", "rules": [{"field": "type", "operator": "exists", "value": true}],
       "message_template": "{user}", "summary_template": "s", "providers": [], "max_alerts_per_hour": 0}
      """
    let made = try await instance.send(
      "/api/v1/alerts/policies", method: "POST", key: instance.key, body: Data(policy.utf8))
    guard made.status == 201 else { throw Overdue(description: "no policy: \(made.text)") }
  }

  func waitForAlert(_ what: String) async throws {
    try await wait(upTo: 60, for: what) { try messages().contains { $0["StorageUnreachable"] != nil } }
  }

  func waitForRecovery(_ what: String) async throws {
    try await wait(upTo: 60, for: what) { try messages().contains { $0["StorageRecovered"] != nil } }
  }

  /// Waits until nothing that was spooled is left.
  func waitForReplay() async throws {
    let spool = instance.state + "/state/spool"
    try await wait(upTo: 90, for: "the replay") {
      try FileManager.default.contentsOfDirectory(atPath: spool)
        .allSatisfy { !$0.hasSuffix(".open") && !$0.hasSuffix(".sealed") }
    }
  }

  /// What the hook has been told since this was last asked, each message counted once however often it came.
  func takeMessages() throws -> Messages {
    var told = Messages()
    for message in try messages() {
      told.alerts += message["StorageUnreachable"] == nil ? 0 : 1
      told.recoveries += message["StorageRecovered"] == nil ? 0 : 1
      if let recovered = message["StorageRecovered"]?.object, case .number(let events)? = recovered["events_affected"] {
        told.eventsAffected += Int(events.text) ?? 0
      }
    }
    seen = try receiver.requests(to: "/storage").count
    return told
  }

  private func messages() throws -> [JSONObject] {
    var ids: Set<String> = []
    return try receiver.requests(to: "/storage").dropFirst(seen).compactMap { request in
      guard let id = request.headers["webhook-id"], ids.insert(id).inserted else { return nil }
      return try JSONValue(parsing: request.body).object
    }
  }

  /// How many of the events with these users have raised their one alert.
  func raisedOnce(_ users: [String]) throws -> Int {
    let once = """
      SELECT count(*)
      FROM (SELECT FROM alerts WHERE title = ANY ($1) GROUP BY title HAVING count(*) = 1) AS once
      """
    return try Connection(url: cluster.url).run(Statement("raised_once", once), .texts(users)).first?.int(0) ?? -1
  }

  /// How many events have more than one alert.
  func raisedTwice() throws -> Int {
    let twice = "SELECT count(*) FROM (SELECT FROM alerts GROUP BY title HAVING count(*) > 1) AS repeated"
    return try Connection(url: cluster.url).run(Statement("raised_twice", twice)).first?.int(0) ?? -1
  }
}
