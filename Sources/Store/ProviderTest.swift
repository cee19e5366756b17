import Postgres

/// What came of the test of a provider.
package struct ProviderTestResult: Sendable {
  /// How far its delivery has come.
  package let state: DeliveryState
  /// The HTTP status or SMTP reply code that the receiver answered; nil where it did not.
  package let status: Int?
  /// The beginning of what it answered, secrets cut out.
  package let answer: String?
  /// What is worth knowing about the attempt, such as why it failed.
  package let reason: String?
  /// How long the attempt took.
  package let milliseconds: Int?
}

extension Store {
  /// Has a test sent to a provider, switched on or off, even if its breaker is open, and answers the id of the delivery; nil if
  /// there is no provider of that id.
  ///
  /// It takes the way of any delivery through the outbox, so what arrives shows that alerts will.
  package func testProvider(tenant: String, id: String) throws(PostgresError) -> String? {
    try change(Self.providerTest, .text(tenant), .text(id)).first?.text(0)
  }

  private static let providerTest = Statement(
    "test_provider",
    """
    WITH written AS (
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at)
      SELECT tenant_id, provider_id, 'test', 'pending', 'epoch'
      FROM alert_providers
      WHERE tenant_id = $1 AND provider_id = $2
      RETURNING delivery_id
    )
    SELECT
      delivery_id::text,
      pg_notify('tocsin_deliveries', ''),
      audit_note($1, 'test', 'provider', $2, NULL, json_build_object('delivery_id', delivery_id))::text
    FROM written
    """)

  /// What came of a test; nil as long as it is not known.
  package func testResult(tenant: String, deliveryID: String) throws(PostgresError) -> ProviderTestResult? {
    try read(Self.providerTestResult, .text(tenant), .text(deliveryID)).first.map(ProviderTestResult.init(row:))
  }

  private static let providerTestResult = Statement(
    "provider_test_result",
    """
    SELECT
      delivery.state, delivery.last_status, attempt.answer, delivery.last_error,
      round(extract(epoch FROM attempt.ended_at - attempt.started_at) * 1000)::bigint
    FROM alert_deliveries AS delivery
    LEFT JOIN alert_delivery_attempts AS attempt
      ON attempt.tenant_id = delivery.tenant_id
      AND attempt.delivery_id = delivery.delivery_id
      AND attempt.attempt = delivery.attempts
    WHERE delivery.tenant_id = $1 AND delivery.delivery_id = $2::uuid AND delivery.state <> 'pending'
    """)
}

extension ProviderTestResult {
  fileprivate init(row: Row) {
    guard let state = DeliveryState(rawValue: row.text(0)) else {
      preconditionFailure("the tables' CHECK constraints and the enums disagree")
    }
    self.state = state
    status = row.intOrNil(1)
    answer = row.textOrNil(2)
    reason = row.textOrNil(3)
    milliseconds = row.intOrNil(4)
  }
}
