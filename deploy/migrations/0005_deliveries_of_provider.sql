-- A provider's deliveries are listed without a look at those of all others. By both columns as expressions: whoever looks for
-- what is due must never take this index for one that would do.
CREATE INDEX alert_deliveries_of_provider
  ON alert_deliveries ((provider_id || ''), (tenant_id || ''), created_at DESC, delivery_id DESC);
