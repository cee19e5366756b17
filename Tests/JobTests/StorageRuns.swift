import Postgres

/// What the checker writes into the database that it checks.
enum StorageRuns {
  /// The one column of text that a query gives.
  static func texts(_ query: String, at url: String) throws -> [String] {
    try Connection(url: url).run(Statement("query of a test", query)).map { $0.text(0) }
  }
}
