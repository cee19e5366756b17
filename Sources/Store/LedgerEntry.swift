import Delivery
import JSON
import Postgres

/// How far a delivery has come; the names are those of the database.
package enum DeliveryState: String, CaseIterable, Sendable {
  /// It waits for its first or next attempt, or is being attempted.
  case pending
  /// The receiver has it.
  case sent
  /// The receiver refused it for good.
  case failed
  /// The retries are exhausted.
  case dead
  /// There was nobody to send it to, or no reason any more.
  case skipped
}

/// One delivery as the ledger has it. Moments are RFC 3339 in UTC.
package struct LedgerEntry: Sendable {
  /// Its id, a UUID.
  package let id: String
  /// The tenant it belongs to.
  package let tenant: String
  /// The alert that it tells of; nil for a test, and for a digest of which no alert was open.
  package let alertID: String?
  /// The provider that it goes to, which may be gone.
  package let providerID: String
  /// What it tells.
  package let event: DeliveryEvent
  /// How far it has come.
  package let state: DeliveryState
  /// How many attempts have begun.
  package let attemptCount: Int
  /// The HTTP status or SMTP reply code of the last attempt; nil where there was no answer.
  package let lastStatus: Int?
  /// What is worth knowing about the last attempt, such as why it failed.
  package let lastReason: String?
  /// When the next attempt is due; nil where there is none.
  package let nextAttemptAt: String?
  /// The e-mail addresses that are still to be reached; nil for all of the provider's.
  package let recipients: [String]?
  /// When somebody last had it tried afresh.
  package let retriedAt: String?
  /// When it was written.
  package let createdAt: String
  /// When it last changed.
  package let updatedAt: String
  /// What a digest tells; nil where it is none.
  package let heldBack: JSONText?
  /// An array of the latest attempts, oldest first; nil in a list.
  package let attempts: JSONText?

  /// The columns of an entry, in the order that ``init(row:from:tenant:attempts:)`` reads them, of a row source that is named
  /// `delivery`. A delivery that is due at once has the epoch for its time.
  static let columns = """
    delivery.delivery_id::text,
    delivery.alert_id,
    delivery.provider_id,
    delivery.event,
    delivery.state,
    delivery.attempts,
    delivery.last_status,
    delivery.last_error,
    rfc3339(
      CASE
        WHEN delivery.state = 'pending' THEN
          greatest(delivery.next_attempt_at, delivery.retried_at, delivery.created_at)
      END),
    delivery.recipients,
    rfc3339(delivery.retried_at),
    rfc3339(delivery.created_at),
    rfc3339(delivery.updated_at),
    delivery.held_back
    """

  /// The entry of a row whose ``columns`` begin at a column; its attempts, if they are known, stand behind them.
  init(row: Row, from column: Int, tenant: String, attempts: Bool) {
    guard let event = DeliveryEvent(rawValue: row.text(column + 3)),
      let state = DeliveryState(rawValue: row.text(column + 4))
    else { preconditionFailure("the tables' CHECK constraints and the enums disagree") }
    id = row.text(column)
    self.tenant = tenant
    alertID = row.textOrNil(column + 1)
    providerID = row.text(column + 2)
    self.event = event
    self.state = state
    attemptCount = row.int(column + 5)
    lastStatus = row.intOrNil(column + 6)
    lastReason = row.textOrNil(column + 7)
    nextAttemptAt = row.textOrNil(column + 8)
    recipients = row.isNull(column + 9) ? nil : row.texts(column + 9)
    retriedAt = row.textOrNil(column + 10)
    createdAt = row.text(column + 11)
    updatedAt = row.text(column + 12)
    heldBack = row.isNull(column + 13) ? nil : JSONText(row.bytes(column + 13))
    self.attempts = attempts ? JSONText(row.bytes(column + 14)) : nil
  }
}

extension LedgerEntry: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("delivery_id", id)
      members.add("alert_id", alertID)
      members.add("provider_id", providerID)
      members.add("event", event.rawValue)
      members.add("state", state.rawValue)
      members.add("attempt_count", attemptCount)
      members.add("last_status", lastStatus)
      members.add("last_reason", lastReason)
      members.add("next_attempt_at", nextAttemptAt)
      members.add("recipients", recipients)
      members.add("held_back", heldBack)
      members.add("retried_at", retriedAt)
      members.add("tenant_id", tenant)
      members.add("created_at", createdAt)
      members.add("updated_at", updatedAt)
      if let attempts { members.add("attempts", attempts) }
    }
  }
}
