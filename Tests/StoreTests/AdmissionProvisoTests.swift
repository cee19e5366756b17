import Postgres
import Store
import TestSupport
import Testing

@Suite("An admission under a proviso") struct AdmissionProvisoTests {
  private let tenant: Tenant
  private let key = KeyForm.make()
  private let mark: AdmissionMark

  init() throws {
    tenant = try Tenant()
    try tenant.avoidEndOfHour()
    try tenant.store.createKey(key, tenant: "acme", KeyDraft(name: "sender", role: .ingest))
    try tenant.makePolicy()
    var marks = AdmissionMark.Series()
    mark = marks.next()
  }

  private func admit(
    key: String? = nil, epoch: Int? = nil, hasDigest: Bool = false, tenant name: String = "acme"
  ) throws -> [Decision]? {
    let current = try #require(try tenant.store.policyEpoch(tenant: "acme"))
    let proviso = AdmissionProviso(key: KeyDigest(of: key ?? self.key), policyEpoch: epoch ?? current)
    let batch = Tenant.batch([Tenant.match(eventID: "e")], hasDigest: hasDigest)
    return try tenant.store.admit(tenant: name, batch, leaving: [mark], provided: proviso)?.compactMap { $0?.decision }
  }

  private func written() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT 'alert' FROM alerts
      UNION ALL SELECT 'decision' FROM alert_decisions
      UNION ALL SELECT 'count' FROM alert_decision_counts
      UNION ALL SELECT 'throttle' FROM alert_throttles
      UNION ALL SELECT 'mark' FROM alert_admission_marks
      ORDER BY 1
      """)
  }

  @Test("It is as any other while the key works and the policies are the same", arguments: [false, true])
  func holds(hasDigest: Bool) throws {
    #expect(try admit(hasDigest: hasDigest) == [.raised])
    #expect(try written() == ["alert", "count", "decision", "mark", "throttle"])
  }

  @Test(
    "It does nothing, and leaves no mark, once the key was revoked, has expired, or was never made",
    arguments: [
      "revoked_at = now()", "created_at = now() - interval '1 day', expires_at = now()", "digest = sha256('')",
    ])
  func key(assignment: String) throws {
    try tenant.database.run("UPDATE api_keys SET \(assignment) WHERE name = 'sender'")
    for hasDigest in [false, true] { #expect(try admit(hasDigest: hasDigest) == nil) }
    #expect(try written() == [])
  }

  @Test("It does nothing once the policies have changed")
  func policies() throws {
    let epoch = try tenant.store.policyEpoch(tenant: "acme")
    try tenant.makePolicy("more")
    #expect(try admit(epoch: epoch) == nil)
    #expect(try written() == [])
    #expect(try admit() == [.raised])
  }

  @Test("It does nothing by the key of another tenant")
  func otherTenant() throws {
    let other = try Tenant(in: tenant.database, name: "umbrella")
    try other.makePolicy()
    let epoch = try #require(try other.store.policyEpoch(tenant: "umbrella"))
    try tenant.database.run("UPDATE tenants SET policy_epoch = \(epoch)")
    #expect(try admit(epoch: epoch, tenant: "umbrella") == nil)
    #expect(try written() == [])
    #expect(try admit(epoch: epoch) == [.raised])
  }
}
