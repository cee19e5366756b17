import Host
import Postgres
import Store

/// The database that the environment names. A URL may hold a password, so none is taken from the command line, which every
/// user of the machine can read.
enum Database {
  /// A store on it, for the user who runs the command; it connects when it is first used.
  static func store() throws -> Store {
    let store = Store(url: try url(), as: .operator, prepares: prepares, timeouts: patient)
    store.actor = Actor(.command, id: Machine.userName)
    return store
  }

  /// A connection to it.
  static func connect() throws -> Connection { try Connection(url: url(), prepares: prepares, timeouts: patient) }

  private static var prepares: Bool { Environment["ALERTING_DATABASE_PREPARE"] != "off" }

  private static func url() throws -> String {
    guard let url = Environment["ALERTING_DATABASE_URL"], !url.isEmpty else {
      throw Failure("ALERTING_DATABASE_URL is not set: it names the database, as in postgresql://host/tocsin")
    }
    return url
  }

  /// An operator's statement may take long: a migration rewrites a table, a count reads one.
  private static var patient: Timeouts {
    var timeouts = Timeouts()
    timeouts.connect = 10
    timeouts.statement = 3600
    return timeouts
  }
}
