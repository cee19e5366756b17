/// How many of each a tenant may have: more than anybody needs, and no more than a worker and the database stand. Of several that are
/// created at the same moment each may be the last.
package enum TenantLimit {
  /// Policies, which a worker compiles together.
  package static let policies = 50_000
  /// Stored rules.
  package static let rules = 50_000
  /// Providers.
  package static let providers = 10_000
  /// Suppressions that are not over.
  package static let suppressions = 10_000
  /// Keys that work.
  package static let keys = 10_000
  /// Keys that work when some of them have been replaced: all of them can be rotated at once.
  package static let rotatedKeys = 2 * keys

  /// A condition of a statement that makes one more record: whether the tenant `$1` has room for one more of those of a table that fulfil
  /// something.
  static func room(in table: String, where condition: String = "true", limit: Int) -> String {
    "(SELECT count(*) FROM \(table) WHERE tenant_id = $1 AND \(condition)) < \(limit)"
  }
}
