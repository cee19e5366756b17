import Delivery
import Glibc
import Host
import JSON
import Postgres
import Store
import TestSupport
import Testing

/// How the secrets of providers lie in the database.
@Suite("Secrets at rest") struct ProviderSecretsTests {
  private let tenant: Tenant
  private let folder: TemporaryFolder
  private let keys: MasterKeys

  init() throws {
    tenant = try Tenant()
    folder = try TemporaryFolder()
    try MasterKeys.make(at: folder.path + "/master.key")
    keys = try MasterKeys(path: folder.path + "/master.key")
    tenant.store.masterKeys = keys
  }

  private func makeProvider(_ id: String = "hook", tenant name: String = "acme", secret: String = "s3cret") throws {
    let provider = try Provider(json: [
      "name": "Hook", "provider_type": "webhook",
      "config": ["url": "https://example.com/", "headers": ["X-Token": .string(secret)]],
    ])
    guard case .saved = try tenant.store.createProvider(tenant: name, id: id, provider, by: "test") else {
      throw SystemFailure("store a provider", 0)
    }
  }

  private var configs: [String] {
    get throws { try tenant.database.texts("SELECT config::text FROM alert_providers ORDER BY tenant_id, provider_id") }
  }

  /// The token in the config of a delivery that is leased from a store.
  private func leasedToken(_ store: Store, provider: String = "hook") throws -> String? {
    try tenant.database.run(
      "UPDATE alert_deliveries SET next_attempt_at = now(), leased_until = NULL WHERE state = 'pending'")
    let room = ProviderRoom(provider: ProviderKey(tenant: "acme", providerID: provider), room: 1)
    let delivery = try #require(try store.leaseDeliveries(of: [room], seconds: 60).first)
    return try delivery.provider.get().config.object?["headers"]?.object?["X-Token"]?.string
  }

  @Test("They are sealed in the table, shown to nobody, kept by a change, and open to whoever delivers")
  func sealed() throws {
    try makeProvider()
    #expect(try !configs[0].contains("s3cret"))
    #expect(try configs[0].contains("https://example.com/"))
    let shown = try #require(try tenant.store.provider(tenant: "acme", id: "hook")).document
    #expect(shown["config"]?.object?["headers"] == ["X-Token": "********"])
    let before = try configs
    _ = try tenant.store.changeProvider(tenant: "acme", id: "hook") { stored in
      let change: JSONObject = ["config": ["url": "https://example.org/", "headers": ["X-Token": "********"]]]
      return try Provider(json: .object(Provider.document(stored, changedBy: change)))
    }
    #expect(try configs != before)
    #expect(try !configs[0].contains("s3cret"))
    try tenant.makePolicy("logins", ["providers": ["hook"]])
    try tenant.admit(Tenant.match())
    #expect(try leasedToken(tenant.store) == "s3cret")
  }

  @Test("A config that somebody copies to another provider opens for nobody, and its deliveries wait")
  func copied() throws {
    try makeProvider()
    try makeProvider("other", secret: "another")
    try tenant.database.run(
      """
      UPDATE alert_providers
      SET config = (SELECT config FROM alert_providers WHERE provider_id = 'hook')
      WHERE provider_id = 'other'
      """)
    try tenant.makePolicy("logins", ["providers": ["other"]])
    try tenant.admit(Tenant.match())
    #expect {
      try leasedToken(tenant.store, provider: "other")
    } throws: {
      if case .sealed(.damaged) = $0 as? UnusableProvider { true } else { false }
    }
  }

  @Test("What cannot be opened holds up no rotation, is told by its provider, and can be given anew")
  func lost() throws {
    try makeProvider("a-lost")
    try makeProvider("b-kept")
    let lost = try configs[0].replacing(keys.keyring.ids[0], with: "key-gone")
    try tenant.database.run("UPDATE alert_providers SET config = '\(lost)' WHERE provider_id = 'a-lost'")
    try keys.change { $0.rotate() }
    let resealed = try tenant.store.resealProviders()
    #expect(resealed.count == 1)
    #expect(resealed.failures.map { $0.contains("a-lost of acme") && $0.contains("key-gone") } == [true])
    func change(_ token: JSONValue) throws -> Saving {
      try tenant.store.changeProvider(tenant: "acme", id: "a-lost") { stored in
        let change: JSONObject = ["config": ["url": "https://example.org/", "headers": ["X-Token": token]]]
        return try Provider(json: .object(Provider.document(stored, changedBy: change)))
      }
    }
    #expect(throws: JSONFaults.self) { try change("********") }
    guard case .saved = try change("anew") else { throw SystemFailure("give a secret anew", 0) }
    #expect(try tenant.store.resealProviders().failures == [])
  }

  @Test("Whoever has no keys reads what is not sealed, and nothing else")
  func withoutKeys() throws {
    try tenant.makeProviders("plain")
    try makeProvider()
    try tenant.makePolicy("logins", ["providers": ["hook", "plain"]])
    try tenant.admit(Tenant.match())
    let store = tenant.database.store()
    #expect(try leasedToken(store, provider: "plain") == nil)
    #expect {
      try leasedToken(store)
    } throws: {
      if case .sealed(.noKeys) = $0 as? UnusableProvider { true } else { false }
    }
  }

  @Test("A key that the file has got since is found by a program that runs; one that it has lost seals nothing")
  func reload() throws {
    let store = tenant.database.store()
    store.masterKeys = try MasterKeys(path: keys.path)
    try keys.change { $0.rotate() }
    try makeProvider()
    try tenant.makePolicy("logins", ["providers": ["hook"]])
    try tenant.admit(Tenant.match())
    #expect(try leasedToken(store) == "s3cret")
    let stale = try MasterKeys(path: keys.path)
    try keys.change {
      $0.rotate()
      $0.forgetOthers()
    }
    tenant.store.masterKeys = stale
    try makeProvider("late")
    #expect(try tenant.store.sealingKeys().contains(keys.keyring.ids[0]))
  }

  @Test("A rotation seals every provider of every tenant anew, whatever it was sealed with, and touches nothing else")
  func reseal() throws {
    try tenant.makeProviders("plain")
    _ = try Tenant(in: tenant.database, name: "umbrella")
    try makeProvider()
    try makeProvider("far", tenant: "umbrella")
    try tenant.database.run(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES (
        'acme', 'old', 'old', 'webhook', true, '{"url": "https://a.example/", "headers": {"X-Token": "s3cret"}}', 'x'
      )
      """)
    let times = "SELECT updated_at::text FROM alert_providers ORDER BY tenant_id, provider_id"
    let before = try tenant.database.texts(times)
    try keys.change { $0.rotate() }
    #expect(try tenant.store.resealProviders().count == 3)
    #expect(try tenant.store.resealProviders().count == 0)
    #expect(try tenant.store.sealingKeys() == [keys.keyring.ids[0]])
    #expect(try configs.allSatisfy { !$0.contains("s3cret") })
    #expect(try tenant.database.texts(times) == before)
  }

  @Test("A file that others may read is refused, and so is one without a key; the keys keep the owner of their file")
  func file() throws {
    #expect(chmod(keys.path, 0o640) == 0)
    #expect { try MasterKeys(path: keys.path) } throws: { "\($0)".contains("chmod 600") }
    #expect(chmod(keys.path, 0o600) == 0)
    if geteuid() == 0 { #expect(chown(keys.path, 65_534, 65_534) == 0) }
    try keys.change { $0.rotate() }
    var status = stat()
    #expect(stat(keys.path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(status.st_uid == (geteuid() == 0 ? 65_534 : geteuid()))
    try File.replace(keys.path, with: Array("# none\n".utf8))
    #expect { try MasterKeys(path: keys.path) } throws: { "\($0)".contains("there is no key in it") }
  }
}
