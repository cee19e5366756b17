import Delivery
import Glibc
import Host

/// The file with the master keys, under which the secrets of providers are sealed, and what was last read of it.
///
/// Only the programs that need secrets read it: the route of the providers, `deliver`, and the operator's command.
package final class MasterKeys {
  /// Where it is.
  package let path: String
  /// The keys in it.
  package private(set) var keyring: Keyring

  /// The keys in a file, which nobody but its owner may read.
  package init(path: String) throws {
    self.path = path
    keyring = try Self.read(path)
  }

  /// The file that `ALERTING_MASTER_KEY_FILE` names; nil where there is none, and secrets are kept as they are.
  package static func configured() throws -> MasterKeys? {
    guard let path = Environment["ALERTING_MASTER_KEY_FILE"], !path.isEmpty else {
      Log.warning("the secrets of providers are not sealed; see ALERTING_MASTER_KEY_FILE")
      return nil
    }
    do {
      return try MasterKeys(path: path)
    } catch {
      throw InvalidSetting("ALERTING_MASTER_KEY_FILE", "\(error)")
    }
  }

  /// Makes a file with one new key where there is none yet.
  package static func make(at path: String) throws { try File.replace(path, with: Array(Keyring().text.utf8)) }

  /// Reads the file again: somebody may have rotated the keys.
  package func reload() throws { keyring = try Self.read(path) }

  /// Changes the keys in the file, which keeps its owner.
  package func change(_ change: (inout Keyring) -> Void) throws {
    var changed = try Self.read(path)
    change(&changed)
    try File.replace(path, with: Array(changed.text.utf8), keepingOwner: true)
    keyring = changed
  }

  private static func read(_ path: String) throws -> Keyring {
    guard try !File.isReadableByOthers(path) else {
      throw MasterKeyFault(description: "\(path) can be read by others than its owner: chmod 600")
    }
    do {
      return try Keyring(text: String(decoding: File.read(path, limit: 1 << 20), as: UTF8.self))
    } catch let fault as KeyringFault {
      throw MasterKeyFault(description: "\(path): \(fault)")
    }
  }
}

/// What is wrong with the file of the master keys.
package struct MasterKeyFault: Error, CustomStringConvertible {
  /// The fault and the file that has it, for a person.
  package let description: String
}
