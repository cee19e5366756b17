import Delivery
import Host
import JSON
import Postgres

extension Store {
  /// Raises an alert for one provider alone, to see whether it arrives; nil if there is none of that id.
  ///
  /// It takes the way of any alert through the outbox, so what arrives shows that real ones will. It is born resolved, and so is
  /// in nobody's way in the list of what is open.
  package func testProvider(tenant: String, id: String, by key: String) throws(PostgresError) -> Alert? {
    let alertID = Identifier.make("alert-")
    let event: JSONValue = ["test": true, "provider_id": .string(id)]
    let rows = try write(
      Self.providerTest, .text(tenant), .text(id), .text(alertID), .json(event.json), .text(key))
    return try rows.isEmpty ? nil : alert(tenant: tenant, id: alertID)
  }

  private static let providerTest = Statement(
    "test_provider",
    """
    WITH provider AS (
      SELECT name, enabled
      FROM alert_providers
      WHERE tenant_id = $1 AND provider_id = $2
    ),
    raised AS (
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key,
        triggered_at, resolved_at, resolved_by, updated_at
      )
      SELECT
        $1, $3, 'provider-test', 'info', 'resolved', 'Test of ' || name,
        'This is a test of ' || name || '. Alerts that are sent to it arrive here.',
        'Test of ' || name, $4, $3, now(), now(), $5, now()
      FROM provider
    ),
    delivered AS (
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT $1, $3, $2, CASE WHEN enabled THEN 'pending' ELSE 'skipped' END, now()
      FROM provider
    )
    SELECT pg_notify('tocsin_deliveries', '')
    FROM provider
    """)
}
