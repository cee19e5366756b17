/// One SQL statement, a constant of the program. Values reach it as `$1`, `$2` … and in no other way.
package struct Statement: Sendable {
  /// The name it is prepared under on a connection; unique in the program.
  package let name: String
  /// The text.
  package let sql: String

  /// Names a statement. Two statements of one name on one connection are a mistake of the program.
  package init(_ name: String, _ sql: String) {
    self.name = name
    self.sql = sql
  }
}
