import Postgres

/// What a transaction begins with.
typealias Opening = (statement: Statement, parameters: [Parameter])

extension Store {
  /// Takes the program's role, and says whose rows are to be seen and written; where there is no tenant, a role without a policy for
  /// all of them sees none. It goes along with the statement behind it in one round trip and ends with the transaction, so it leaves
  /// nothing behind in a session of a pooler.
  var opening: Opening { (Self.scope, scopeParameters) }

  /// The same for a change that the audit log tells of: with on whose behalf it is made.
  var openingOfChange: Opening { (Self.scopeOfChange, scopeParameters + actorParameters) }

  /// The same for a refused call. What is lost of it if PostgreSQL ends before it has written it to disk is less than a second of
  /// refusals; and it gives up rather than have a worker wait for whoever has the chain.
  var openingOfRefusal: Opening { (Self.scopeOfRefusal, scopeParameters + actorParameters) }

  private var scopeParameters: [Parameter] { [.text(role?.rawValue ?? "none"), .text(actor?.tenant ?? "")] }

  private var actorParameters: [Parameter] {
    [.text(actor?.kind.rawValue ?? ""), .text(actor?.id ?? ""), .text(actor?.address ?? "")]
  }

  private static let scope = Statement(
    "scope",
    """
    SELECT
      set_config('role', $1, true),
      set_config('tocsin.tenant', $2, true)
    """)

  private static let scopeOfChange = Statement(
    "scope_of_change",
    """
    \(scope.sql),
      set_config('tocsin.actor_type', $3, true),
      set_config('tocsin.actor', $4, true),
      set_config('tocsin.address', $5, true)
    """)

  private static let scopeOfRefusal = Statement(
    "scope_of_refusal",
    """
    \(scopeOfChange.sql),
      set_config('synchronous_commit', 'off', true),
      set_config('lock_timeout', '250ms', true)
    """)
}
