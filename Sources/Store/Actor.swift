import Host
import Postgres

/// On whose behalf something is changed, and where that came from, as the audit log has it.
package struct Actor: Sendable, Equatable {
  /// What acts.
  package enum Kind: String, Sendable {
    /// A call with a key that is known.
    case key
    /// The command `tocsin`.
    case command
    /// A program that cron or systemd starts.
    case job
    /// A call without a key, or with one that is nobody's.
    case unknown
  }

  /// What acts.
  package let kind: Kind
  /// The tenant that all is about; nil where it is not known, or about several.
  package let tenant: String?
  /// The id of the key, the user of the operating system, or the name of the job.
  package let id: String?
  /// The address that a call came from, or the name of the host.
  package let address: String?

  /// Whoever made a call from an address.
  package init(_ caller: Caller?, address: String?) {
    kind = caller == nil ? .unknown : .key
    tenant = caller?.tenant
    id = caller?.keyID
    self.address = address
  }

  /// A program of this host, at work for one tenant or for all.
  package init(_ kind: Kind, id: String, tenant: String? = nil) {
    self.kind = kind
    self.tenant = tenant
    self.id = id
    address = Machine.name
  }
}

extension Store {
  /// Runs a statement that makes a change which the audit log tells of: triggers write the row there, and find in the
  /// transaction who makes it.
  @discardableResult
  func change(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
    try connected().run(statement, parameters, after: openingOfChange)
  }

  /// The same.
  @discardableResult
  func change(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try change(statement, parameters)
  }

  /// Puts a refused call on record, of the actor in place: the first of a caller in a minute at once, the others as a number when
  /// the minute is over.
  package func noteRefusal(of call: String, status: Int) throws(PostgresError) {
    guard let actor else { return }
    try connected().run(
      Self.refusal, [.text(actor.tenant ?? ""), .text(call), .int(status)], after: openingOfRefusal)
  }

  private static let refusal = Statement("note_refusal", "SELECT audit_refuse($1, $2, $3::integer)")

  /// Puts the refused calls of the minutes that are over on record, beside the first of each caller. Tells of how many callers.
  package func foldRefusals() throws(PostgresError) -> Int {
    try write(Self.folding).first?.int(0) ?? 0
  }

  private static let folding = Statement("fold_refusals", "SELECT audit_fold()")
}
