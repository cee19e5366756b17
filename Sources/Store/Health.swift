import Postgres

extension Store {
  /// Asks the database for a sign of life. Throws if it cannot be reached or has not been migrated; tries once, so that the
  /// answer comes within the store's timeouts.
  package func checkSchema() throws(PostgresError) {
    try write(Self.schemaCheck)
  }

  private static let schemaCheck = Statement("check_schema", "SELECT EXISTS (SELECT FROM tenants)")
}
