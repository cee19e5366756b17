import Delivery
import Host
import Matching
import Postgres
import TestSupport
import Testing

@testable import Store

/// How PostgreSQL finds rows behind the policies of row-level security. There it goes by those conditions alone that cannot tell, by an
/// error, what they have seen; where a statement has others, whole tables are read for a row.
@Suite("Plans behind row-level security") struct PlanTests {
  /// What a program has the store do.
  struct Work: Sendable, CustomTestStringConvertible {
    let role: DatabaseRole
    let run: @Sendable (Store) throws -> Void

    init(_ role: DatabaseRole, _ run: @escaping @Sendable (Store) throws -> Void) {
      self.role = role
      self.run = run
    }

    var testDescription: String { role.rawValue }
  }

  private static let page = Page(number: 1, size: 10)
  private static let id = "018f5c8e-7a1b-7c3d-8e4f-5a6b7c8d9e0f"

  private static let works = [
    Work(.processEvent) { store in
      _ = try store.compiledPolicies(tenant: "acme")
      let key = KeyForm.make()
      _ = try store.authenticate(KeyDigest(of: key), from: nil)
      var marks = AdmissionMark.Series()
      for hasDigest in [false, true] {
        let batch = Tenant.batch([Tenant.match(eventID: "\(hasDigest)")], hasDigest: hasDigest)
        _ = try store.admit(
          tenant: "acme", batch, leaving: [marks.next()],
          provided: AdmissionProviso(key: KeyDigest(of: key), policyEpoch: 1))
      }
      _ = try store.hasPendingDeliveries(tenant: "acme", alertIDs: ["alert"])
      _ = try store.deliveryStates(tenant: "acme", alertIDs: ["alert"])
    },
    Work(.replay) { store in
      let stretch = SpoolStretch(segment: "segment", from: 0, to: 1)
      var marks = AdmissionMark.Series()
      for hasDigest in [false, true] {
        let batch = Tenant.batch([Tenant.match()], hasDigest: hasDigest)
        _ = try store.replay(tenant: "acme", batch, receivedAt: 0, of: [stretch], after: marks.next())
      }
      _ = try store.replayMarks(segment: "segment")
      _ = try store.ingestEnd(ofKey: "00", tenant: "acme")
      try store.forgetReplay(segment: "segment")
    },
    Work(.alerts) { store in
      _ = try store.alert(tenant: "acme", id: "alert")
      _ = try store.alerts(tenant: "acme", AlertFilter(), page: page)
      _ = try store.acknowledgeAlert(tenant: "acme", id: "alert", by: "key")
      _ = try store.resolveAlert(tenant: "acme", id: "alert", by: "key")
    },
    Work(.deliveries) { store in
      _ = try store.delivery(tenant: "acme", id: id)
      _ = try store.retryDelivery(tenant: "acme", id: id, again: true)
      var filters = [DeliveryFilter](repeating: DeliveryFilter(), count: 4)
      filters[1].alertID = "alert"
      filters[2].providerID = "hook"
      filters[3].states = [.failed, .dead]
      for filter in filters {
        _ = try store.deliveries(tenant: "acme", filter, page: page)
        var replay = Replay()
        replay.filter = filter
        _ = try store.retryDeliveries(tenant: "acme", replay)
      }
    },
    Work(.auditLog) { store in _ = try store.auditLog(tenant: "acme", AuditFilter(), page: page) },
    Work(.keys) { store in
      let key = try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "k", role: .viewer))
      _ = try store.keys(tenant: "acme", status: .active, page: page)
      _ = try store.rotateKey(id: key.id, tenant: "acme", to: KeyForm.make(), KeyRotation(overlapSeconds: 60))
      _ = try store.revokeKey(id: key.id, tenant: "acme")
    },
    Work(.policies) { store in
      let policy = try Tenant.policy(["providers": ["hook"]])
      _ = try store.createPolicy(tenant: "acme", id: "p", policy, by: "key")
      _ = try store.changePolicy(tenant: "acme", id: "p") { _ in policy }
      _ = try store.policies(tenant: "acme", page: page)
      _ = try store.deletePolicy(tenant: "acme", id: "p")
    },
    Work(.rules) { store in
      let rule = try Rule(json: ["name": "Root", "field": "user", "operator": "eq", "value": "root"])
      _ = try store.createRule(tenant: "acme", id: "r", rule, by: "key")
      _ = try store.changeRule(tenant: "acme", id: "r") { _ in rule }
      _ = try store.rules(tenant: "acme", enabled: true, field: "user", page: page)
      _ = try store.deleteRule(tenant: "acme", id: "r")
    },
    Work(.suppressions) { store in
      let suppression = try Suppression(json: ["policy_id": "p", "suppressed_until": "2999-01-01T00:00:00Z"])
      _ = try store.createSuppression(tenant: "acme", id: "s", suppression, by: "key")
      _ = try store.changeSuppression(tenant: "acme", id: "s") { _ in suppression }
      _ = try store.suppressions(tenant: "acme", page: page)
      _ = try store.deleteSuppression(tenant: "acme", id: "s")
    },
    Work(.providers) { store in
      let provider = try Provider(
        json: ["name": "w", "provider_type": "webhook", "config": ["url": "https://example.com/hook"]])
      _ = try store.createProvider(tenant: "acme", id: "w", provider, by: "key")
      _ = try store.changeProvider(tenant: "acme", id: "w") { _ in provider }
      _ = try store.providers(tenant: "acme", page: page)
      _ = try store.testProvider(tenant: "acme", id: "w")
      _ = try store.testResult(tenant: "acme", deliveryID: id)
      _ = try store.deleteProvider(tenant: "acme", id: "w")
    },
    Work(.deliver) { store in
      let settlements = try store.lease().map { $0.settled(.gone(reason: "gone")) }
      _ = try store.settleDeliveries(settlements)
      _ = try store.closeDigests(limit: 10)
      _ = try store.expireDeliveries(limit: 10)
      _ = try store.resolveReports()
      _ = try store.skipDeliveries(of: [ProviderKey(tenant: "acme", providerID: "hook")], limit: 10)
      _ = try store.dueDeliveries(of: ProviderKey(tenant: "acme", providerID: "hook"), limit: 10)
    },
    Work(.checkStorage) { store in _ = try store.storageSight() },
  ]

  @Test("Every statement of a program finds its rows by the indexes that it would without", arguments: works)
  func same(work: Work) throws {
    let tenant = try Tenant()
    try tenant.makeProviders("hook")
    try tenant.makePolicy("logins", ["providers": ["hook"]])
    try tenant.admit(Tenant.match())
    let store = Store(url: tenant.database.url, as: work.role, timeouts: .patient)
    store.actor = Actor(.job, id: "test", tenant: "acme")
    try work.run(store)

    let connection = try store.connected()
    let statements = try connection.run(
      Statement(
        "statements",
        """
        SELECT name, coalesce('(' || nullif(array_to_string(parameter_types, ','), '') || ')', '')
        FROM pg_prepared_statements
        WHERE statement ~ '\\m(FROM|UPDATE|INTO) '
        """)
    ).map { (name: $0.text(0), types: $0.text(1)) }
    #expect(!statements.isEmpty)
    for (name, types) in statements {
      let nothing = types.replacing(/[^(),]+/, with: "NULL")
      let explain = Statement("explain \(name)", "EXPLAIN (COSTS OFF) EXECUTE \(name)\(nothing)")
      let without = try lookUps(connection.run(explain))
      let behind = try lookUps(connection.run(explain, [], after: store.opening))
      #expect(behind == without, "\(name)")
    }
  }

  /// What a plan says of how rows are found.
  private func lookUps(_ plan: Rows) -> [String] {
    plan.map { $0.text(0).trimmingPrefix { " ->".contains($0) } }
      .filter { $0.contains("Scan") || $0.hasPrefix("Index Cond") }
      .map { String($0) }
  }
}
