/// Why a statement has no result: there is no server to ask, or the server said no.
package enum PostgresError: Error, Equatable, Sendable {
  /// No usable server: it could not be connected to, did not answer in time, went away, is starting or stopping, is out of
  /// resources, or takes no writes. The same statement may succeed later. Whether a write took effect is not known.
  case unreachable(reason: String)
  /// The server refused the statement, and would again.
  case refused(Refusal)

  /// What the server said about a statement it refused.
  package struct Refusal: Equatable, Sendable {
    /// The five characters of PostgreSQL's appendix A, for example `23505`.
    package let sqlState: String
    /// The server's sentence. It may quote values, so it is for logs and never for a client.
    package let message: String
    /// The constraint that was violated, if it was one.
    package let constraint: String?

    /// A refusal as the server told it.
    package init(sqlState: String, message: String, constraint: String? = nil) {
      self.sqlState = sqlState
      self.message = message
      self.constraint = constraint
    }
  }

  /// The refusal, if it is one.
  package var refusal: Refusal? {
    guard case .refused(let refusal) = self else { return nil }
    return refusal
  }

  /// Whether there is no usable server.
  package var isUnreachable: Bool { if case .unreachable = self { true } else { false } }

  /// Whether a row with such a key is there already.
  package var isUniqueViolation: Bool { refusal?.sqlState == "23505" }

  /// Whether the statement was rolled back only because of what ran beside it (deadlock, serialization failure), so that running
  /// it again is right.
  package var isConflict: Bool { refusal?.sqlState == "40P01" || refusal?.sqlState == "40001" }

  /// Whether the server refused what a statement was about, not the statement: a value (class 22), a constraint (23), a limit
  /// (54), or by a function of the database (P0).
  package var isAboutData: Bool { ["22", "23", "54", "P0"].contains(refusal?.sqlState.prefix(2)) }

  /// Sorts a server's error. Unreachable are the classes 08 (connection), 53 (no resources) and 58 (system error), 57P0x
  /// (shutdown, crash, start-up), 57014 (statement_timeout ran out) and 25006 (a standby).
  init(_ refusal: Refusal) {
    let state = refusal.sqlState
    let isPassing =
      ["08", "53", "58"].contains(state.prefix(2)) || state.hasPrefix("57P0") || state == "57014" || state == "25006"
    self = isPassing ? .unreachable(reason: "\(refusal.message) (\(state))") : .refused(refusal)
  }
}

extension PostgresError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreachable(let reason): "the database is unreachable: \(reason)"
    case .refused(let refusal): "the database refused a statement: \(refusal.message) (\(refusal.sqlState))"
    }
  }
}
