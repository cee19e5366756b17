-- An outage's report ends with the outage, and an incident with the last of its alerts.

ALTER TABLE alert_provider_health
  ADD COLUMN earlier_reports text[] NOT NULL DEFAULT '{}',
  ADD COLUMN ended_reports text[] NOT NULL DEFAULT '{}';
CREATE INDEX alert_provider_health_ended ON alert_provider_health (provider_id) WHERE ended_reports <> '{}';
COMMENT ON COLUMN alert_provider_health.earlier_reports IS
  'Reports from before the provider was last changed: they end with the next delivery that succeeds, like report_alert_id.';
COMMENT ON COLUMN alert_provider_health.ended_reports IS
  'Reports whose outage is over and which have yet to be resolved. That is another statement: the one that finds the receiver up
again may not see the report yet.';

-- Which alerts are open under one deduplication key.
CREATE INDEX alerts_open ON alerts (policy_id, tenant_id, throttle_key) WHERE status IN ('active', 'acknowledged');
