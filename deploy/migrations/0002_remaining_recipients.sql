ALTER TABLE alert_deliveries ADD COLUMN remaining_recipients text[];
COMMENT ON COLUMN alert_deliveries.remaining_recipients IS
  'The e-mail addresses that did not take it yet where others did; NULL for all of the provider''s.';
COMMENT ON COLUMN alert_deliveries.leased_until IS
  'While an attempt is under way: until then nobody else may attempt it. next_attempt_at is the same moment meanwhile, so a lease
that was never settled falls due by itself.';
