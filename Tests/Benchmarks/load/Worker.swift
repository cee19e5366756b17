import Host
import JSON
import Matching
import Postgres
import Store

/// What a worker does for one tenant, measured in a process of its own; the events are its standard input.
struct Worker {
  /// What ``measure()`` answers, in its order.
  static let figures = [
    "rows to ready, ms", "of it the statement", "reading", "compiling", "again, one policy changed, ms", "MB",
    "MB at most",
  ]

  private let store: Store
  private let cache = PolicyCache()
  private let connection: Connection
  private let tenant: String
  private var events: [[UInt8]] = []

  init(url: String, tenant: String) throws {
    store = Store(url: url)
    connection = try Connection(url: url)
    self.tenant = tenant
    _ = try store.compiledPolicies(tenant: "nobody")
    _ = try connection.run(Store.tenantPolicies, .text("nobody"), .int(nil))
    while let line = readLine() { events.append(Array(line.utf8)) }
  }

  /// The memory is what comes to that of a process that has served nobody.
  func measure() throws -> [Double] {
    let idle = try memory("VmRSS")
    let whole = try makeReady()
    try matchEvents()
    let size = try memory("VmRSS") - idle
    try change()
    let again = try makeReady()
    try matchEvents()
    let peak = try memory("VmHWM") - idle

    let (rows, statement) = try timed { try connection.run(Store.tenantPolicies, .text(tenant), .int(nil)) }
    let (policies, reading) = try timed {
      try rows.map { (id: $0.text(2), policy: try Policy(json: JSONValue(parsing: $0.bytes(3)))) }
    }
    var next = policies.makeIterator()
    let (_, compiling) = timed { PolicySet(rules: [:], suppressions: []) { next.next() } }
    return [whole, statement, reading, compiling, again, size, peak]
  }

  /// What a body gives and the milliseconds that it takes.
  private func timed<Value>(_ body: () throws -> Value) rethrows -> (Value, milliseconds: Double) {
    let start = Clock.monotonic
    let value = try body()
    return (value, (Clock.monotonic - start) * 1000)
  }

  /// Has the cache make the tenant's policies ready, if they are not, and answers the milliseconds that it takes.
  private func makeReady() throws -> Double {
    let caller = try caller()
    return try timed { _ = try cache.set(for: caller, in: store) }.milliseconds
  }

  /// A caller with the tenant's policy epoch.
  private func caller() throws -> Caller {
    let select = Statement("epoch", "SELECT policy_epoch FROM tenants WHERE tenant_id = $1")
    let epoch = try connection.run(select, .text(tenant)).first?.int(0) ?? 0
    return Caller(tenant: tenant, keyID: "", role: .ingest, policyEpoch: epoch)
  }

  private func matchEvents() throws {
    let set = try cache.set(for: caller(), in: store)
    var matches = MatchBatch()
    for event in events { _ = try set.match(event.span, into: &matches) { "alert" } }
  }

  /// Has the tenant's first policy changed, as a request would.
  private func change() throws {
    guard let id = try store.policies(tenant: tenant, page: Page(number: 1, size: 1)).elements.first?.id else { return }
    _ = try store.changePolicy(tenant: tenant, id: id) { stored in
      try Policy(json: .object(Policy.document(stored, changedBy: ["providers": [], "description": "changed"])))
    }
  }

  /// A figure of `/proc/self/status` in MB.
  private func memory(_ name: String) throws -> Double {
    let lines = String(decoding: try File.read("/proc/self/status"), as: UTF8.self).split(separator: "\n")
    let line = lines.first { $0.hasPrefix(name + ":") } ?? ""
    return (Double(line.filter(\.isNumber)) ?? 0) / 1024
  }
}
