import JSON

extension Provider {
  /// The document of a provider as it is stored: each secret sealed for this provider and its place in the config.
  package static func sealed(_ document: JSONObject, of provider: ProviderKey, by keyring: Keyring) -> JSONObject {
    mappingSecrets(in: document) { secret, path in keyring.sealed(secret, for: provider.place(path)) }
  }

  /// A stored document with its secrets opened. Those that were stored without a seal are left as they are.
  package static func opened(
    _ document: JSONObject, of provider: ProviderKey, by keyring: Keyring?
  ) throws(SealFault) -> JSONObject {
    var fault: SealFault?
    let opened = mappingSecrets(in: document) { stored, path in
      if Keyring.sealedText(stored) == nil { return stored }
      do throws(SealFault) {
        guard let keyring else { throw .noKeys }
        return try keyring.opened(stored, for: provider.place(path))
      } catch {
        fault = error
        return stored
      }
    }
    if let fault { throw fault }
    return opened
  }

  /// The ids of the keys that a stored document's secrets are sealed with; nil among them for one that is not sealed.
  package static func sealingKeys(of document: JSONObject) -> Set<String?> {
    var ids: Set<String?> = []
    _ = mappingSecrets(in: document) { stored, _ in
      ids.insert(Keyring.keyID(of: stored))
      return stored
    }
    return ids
  }

  /// A document with each secret that it has replaced by what a function makes of it and of the keys that lead to it.
  static func mappingSecrets(
    in document: JSONObject, _ transform: (JSONValue, [String]) -> JSONValue
  ) -> JSONObject {
    guard let secrets = secrets(of: document), let config = document["config"] else { return document }
    var mapped = document
    mapped["config"] = secrets.reduce(config) { $1.mapped(in: $0, transform) }
    return mapped
  }
}

extension ProviderKey {
  /// Where a secret of this provider is.
  fileprivate func place(_ path: [String]) -> [String] { [tenant, providerID] + path }
}

/// Why a stored provider is none that anything can be sent to.
package enum UnusableProvider: Error, Sendable {
  /// Its document has faults.
  case invalid(JSONFaults)
  /// Its secrets cannot be opened here and now.
  case sealed(SealFault)
}
