import Delivery
import Host
import JSON
import Postgres

extension Store {
  /// A provider's document as it is stored. The keys are read afresh: a key that has been taken out of the file since must not
  /// seal anything any more.
  func sealed(_ document: JSONObject, of provider: ProviderKey) throws -> JSONObject {
    guard let masterKeys else { return document }
    try masterKeys.reload()
    return Provider.sealed(document, of: provider, by: masterKeys.keyring)
  }

  /// A stored document with its secrets opened. Where a key is not known, the file may have got it since it was last read.
  func opened(_ document: JSONObject, of provider: ProviderKey) throws(SealFault) -> JSONObject {
    do throws(SealFault) {
      return try Provider.opened(document, of: provider, by: masterKeys?.keyring)
    } catch .unknownKey {
      reloadMasterKeys()
      return try Provider.opened(document, of: provider, by: masterKeys?.keyring)
    }
  }

  private func reloadMasterKeys() {
    do {
      try masterKeys?.reload()
    } catch {
      Log.error("the master keys cannot be read again", ["error": "\(error)"])
    }
  }

  /// Seals the secrets of every provider anew that are not sealed with the first of the master keys; answers how many providers
  /// that were, and of which the secrets cannot be opened, and why. What somebody else changes meanwhile is sealed by whoever
  /// changes it, or looked at again.
  package func resealProviders() throws -> (count: Int, failures: [String]) {
    var count = 0
    var failures: [String] = []
    var last = ProviderKey(tenant: "", providerID: "")
    while let (key, document, stored) = try nextProvider(after: last) {
      guard let current = masterKeys?.keyring.ids.first,
        Provider.sealingKeys(of: document).contains(where: { $0 != current })
      else {
        last = key
        continue
      }
      guard let config = try resealed(document, of: key, &failures)?["config"] else {
        last = key
        continue
      }
      count += try change(
        Self.resealing, .text(key.tenant), .text(key.providerID), .json(config.json), .text(stored)
      ).count
    }
    return (count, failures)
  }

  private func resealed(
    _ document: JSONObject, of provider: ProviderKey, _ failures: inout [String]
  ) throws -> JSONObject? {
    let secrets: JSONObject
    do throws(SealFault) {
      secrets = try opened(document, of: provider)
    } catch {
      failures.append("the provider \(provider.providerID) of \(provider.tenant): \(error)")
      return nil
    }
    return try sealed(secrets, of: provider)
  }

  /// The ids of the keys that the secrets of all providers are sealed with.
  package func sealingKeys() throws -> Set<String> {
    var ids: Set<String> = []
    var last = ProviderKey(tenant: "", providerID: "")
    while let (key, document, _) = try nextProvider(after: last) {
      ids.formUnion(Provider.sealingKeys(of: document).compactMap { $0 })
      last = key
    }
    return ids
  }

  private func nextProvider(after last: ProviderKey) throws -> (ProviderKey, JSONObject, stored: String)? {
    try read(Self.providerAfter, .text(last.tenant), .text(last.providerID)).first.map { row in
      (ProviderKey(tenant: row.text(0), providerID: row.text(1)), row.document(2), row.text(3))
    }
  }

  private static let providerAfter = Statement(
    "provider_after",
    """
    SELECT tenant_id, provider_id, json_build_object('provider_type', provider_type, 'config', config), config::text
    FROM alert_providers
    WHERE (tenant_id, provider_id) > ($1, $2)
    ORDER BY tenant_id, provider_id
    LIMIT 1
    """)

  private static let resealing = Statement(
    "reseal_provider",
    """
    UPDATE alert_providers
    SET config = $3
    WHERE tenant_id = $1 AND provider_id = $2 AND config::text = $4
    RETURNING provider_id
    """)
}
