import Host
import Postgres

/// A setting without which a program cannot work.
package struct MissingSetting: Error, CustomStringConvertible {
  /// The name of the environment variable.
  package let name: String

  /// The error for a variable.
  package init(name: String) { self.name = name }

  package var description: String { "\(name) is not set; deploy/tocsin.env explains it" }
}

extension Store {
  /// The store that the environment names, for a program: `ALERTING_DATABASE_URL`, and `ALERTING_DATABASE_PREPARE=off` behind a pooler in
  /// transaction mode, where a prepared statement would be somebody else's.
  package static func configured(
    as role: DatabaseRole, timeouts: Timeouts = Timeouts()
  ) throws(MissingSetting) -> Store {
    guard let url = Environment["ALERTING_DATABASE_URL"], !url.isEmpty else {
      throw MissingSetting(name: "ALERTING_DATABASE_URL")
    }
    return Store(url: url, as: role, prepares: Environment["ALERTING_DATABASE_PREPARE"] != "off", timeouts: timeouts)
  }
}
