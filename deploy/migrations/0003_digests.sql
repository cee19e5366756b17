-- What throttle and cap held back is told at the end of a while, for policies that ask for it.

ALTER TABLE alert_policies
  ADD COLUMN digest_minutes integer NOT NULL DEFAULT 0 CHECK (digest_minutes >= 0),
  ADD COLUMN throttle_by text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN alert_policies.throttle_by IS
  'The fields that the throttle keys are made of. Policies that were last saved before there were digests have none here.';

CREATE TABLE alert_held_back (
  tenant_id text NOT NULL,
  policy_id text NOT NULL,
  throttle_key text NOT NULL,
  events bigint NOT NULL,
  alert_id text NOT NULL,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, throttle_key)
) WITH (fillfactor = 70);
CREATE INDEX alert_held_back_due ON alert_held_back (due_at);
COMMENT ON TABLE alert_held_back IS
  'What was held back of each policy with a digest since its last one, by throttle key. The rows of a policy are its window: it
opens with the first of them and is told, and they deleted, when the first is due.';
COMMENT ON COLUMN alert_held_back.alert_id IS 'The alert that the latest of the events were folded into.';

ALTER TABLE alert_deliveries
  DROP CONSTRAINT alert_deliveries_event_check,
  DROP CONSTRAINT alert_deliveries_check,
  ADD COLUMN held_back json,
  ADD CONSTRAINT alert_deliveries_event_check
    CHECK (event IN ('triggered', 'acknowledged', 'resolved', 'digest', 'test')),
  ADD CONSTRAINT alert_deliveries_alert_check CHECK (alert_id IS NOT NULL OR event IN ('digest', 'test')),
  ADD CONSTRAINT alert_deliveries_held_back_check CHECK ((held_back IS NOT NULL) = (event = 'digest'));
COMMENT ON COLUMN alert_deliveries.event IS
  'What is told. All but triggered wait for what goes before them about the same alert to the same provider; a test is about no
alert, and a digest about none where none of those that the events were folded into was open.';
COMMENT ON COLUMN alert_deliveries.held_back IS
  'What a digest tells. It stands here and not with its policy, which may change or go before everybody has been told.';
