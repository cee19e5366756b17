-- Every primary key begins with tenant_id, so that the tables can be spread over hosts by tenant.
--
-- Of a table without statistics yet, PostgreSQL takes a tenant's rows to be few and any index that begins with tenant_id to be
-- as good as the whole primary key, and keeps such a plan while the table grows. So no other index begins with tenant_id.

CREATE TABLE tenants (
  tenant_id text PRIMARY KEY,
  policy_epoch bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenants IS 'Whose policies and alerts are kept apart.';
COMMENT ON COLUMN tenants.policy_epoch IS
  'Grows with every change to the tenant''s policies, rules and suppressions; workers keep what they compiled until it does.';

CREATE TABLE api_keys (
  tenant_id text NOT NULL REFERENCES tenants,
  key_id text NOT NULL,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('ingest', 'viewer', 'operator', 'admin')),
  digest bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, key_id)
);
COMMENT ON TABLE api_keys IS 'The keys of the API: each belongs to one tenant and has one role.';
COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of the key; the key itself is stored nowhere.';

CREATE TABLE alert_policies (
  tenant_id text NOT NULL REFERENCES tenants,
  policy_id text NOT NULL,
  document json NOT NULL,
  enabled boolean NOT NULL,
  severity text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
  rule_ids text[] NOT NULL,
  provider_ids text[] NOT NULL,
  throttle_minutes integer NOT NULL CHECK (throttle_minutes >= 0),
  max_alerts_per_hour integer NOT NULL CHECK (max_alerts_per_hour >= 0),
  window_start time,
  window_end time,
  window_days smallint[],
  window_timezone text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, policy_id)
);
COMMENT ON TABLE alert_policies IS
  'The document is what the client sees, to the letter; the other columns are the part of it that SQL decides by.';

CREATE TABLE alert_rules (
  tenant_id text NOT NULL REFERENCES tenants,
  rule_id text NOT NULL,
  document json NOT NULL,
  enabled boolean NOT NULL,
  field text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, rule_id)
);

COMMENT ON TABLE alert_rules IS 'Named conditions that policies share; the document is what the client sees.';

CREATE TABLE alert_providers (
  tenant_id text NOT NULL REFERENCES tenants,
  provider_id text NOT NULL,
  name text NOT NULL,
  provider_type text NOT NULL CHECK (provider_type IN ('pagerduty', 'slack', 'webhook', 'email')),
  enabled boolean NOT NULL,
  config json NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, provider_id)
);
COMMENT ON TABLE alert_providers IS 'Where alerts are sent.';
COMMENT ON COLUMN alert_providers.config IS 'Holds secrets: only what talks to the receiver, or masks them, reads it.';

CREATE TABLE alert_suppressions (
  tenant_id text NOT NULL REFERENCES tenants,
  suppression_id text NOT NULL,
  document json NOT NULL,
  policy_id text,
  starts_at timestamptz NOT NULL,
  suppressed_until timestamptz NOT NULL CHECK (suppressed_until > starts_at),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, suppression_id)
);

COMMENT ON TABLE alert_suppressions IS
  'Times in which the alerts of one policy, or of all (policy_id NULL), are held back for events that fit the document.';

CREATE TABLE alerts (
  tenant_id text NOT NULL,
  alert_id text NOT NULL,
  policy_id text NOT NULL,
  severity text NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'acknowledged', 'resolved', 'suppressed')),
  title text NOT NULL,
  message text NOT NULL,
  summary text NOT NULL,
  event_data json NOT NULL,
  event_id text,
  throttle_key text NOT NULL,
  triggered_at timestamptz NOT NULL,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz,
  resolved_by text,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, alert_id)
);
CREATE INDEX alerts_newest_first ON alerts ((tenant_id || ''), triggered_at DESC, alert_id DESC);
COMMENT ON TABLE alerts IS 'Outlives its policy: policy_id is no foreign key.';
COMMENT ON COLUMN alerts.event_data IS
  'The event byte for byte as it came. json, not jsonb: that would refuse \u0000 and forget duplicate keys.';

CREATE TABLE alert_repeats (
  tenant_id text NOT NULL,
  alert_id text NOT NULL,
  events bigint NOT NULL,
  last_event_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, alert_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE alert_repeats IS
  'Events that were held back while an alert of their key was open. A table of its own, because an upsert reaches the row that a
concurrent statement has just committed, where an UPDATE of alerts would not see the alert yet.';

CREATE TABLE alert_throttles (
  tenant_id text NOT NULL,
  policy_id text NOT NULL,
  throttle_key text NOT NULL,
  is_suppressed boolean NOT NULL,
  asked bigint NOT NULL,
  granted bigint NOT NULL,
  throttle_minutes integer NOT NULL,
  max_alerts_per_hour integer NOT NULL,
  hour timestamptz NOT NULL,
  hour_count bigint NOT NULL,
  last_alert_at timestamptz NOT NULL,
  alert_id text NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, throttle_key, is_suppressed)
) WITH (fillfactor = 70);
COMMENT ON TABLE alert_throttles IS
  'One row per policy, throttle key and lane; its lock is what makes throttle and cap exact. asked, granted and the two limits
are those of the latest statement, there for its upsert to compute with.';
COMMENT ON COLUMN alert_throttles.is_suppressed IS
  'Suppressed alerts have a lane of their own, so that they neither flood nor use up what the next real alert needs.';

CREATE TABLE alert_decisions (
  tenant_id text NOT NULL,
  policy_id text NOT NULL,
  event_id text NOT NULL,
  decision text NOT NULL CHECK (decision IN ('raised', 'throttled', 'capped', 'suppressed', 'outside_window')),
  alert_id text,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, event_id)
);
COMMENT ON TABLE alert_decisions IS
  'What became of each matched event that carries an event_id: makes a repeat harmless, and answers an auditor.';

CREATE TABLE alert_decision_counts (
  tenant_id text NOT NULL,
  policy_id text NOT NULL,
  hour timestamptz NOT NULL,
  decision text NOT NULL CHECK (decision IN ('raised', 'throttled', 'capped', 'suppressed', 'outside_window')),
  slot smallint NOT NULL,
  events bigint NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, hour, decision, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE alert_decision_counts IS 'Everything that matched, counted by what was decided: the sum over the slots.';
COMMENT ON COLUMN alert_decision_counts.slot IS
  'Each connection counts in one of several rows, so that statements about one policy do not wait for each other''s commit.';

CREATE TABLE alert_deliveries (
  tenant_id text NOT NULL,
  delivery_id uuid NOT NULL DEFAULT gen_random_uuid(),
  alert_id text NOT NULL,
  provider_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'dead', 'skipped')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  leased_until timestamptz,
  lease_token uuid,
  last_status integer,
  last_error text,
  recipients text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, delivery_id)
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX alert_deliveries_of_alert ON alert_deliveries (alert_id);
COMMENT ON TABLE alert_deliveries IS
  'The outbox: one row per alert and provider, written with the alert. Who leases a row alone may attempt it until then.';
COMMENT ON COLUMN alert_deliveries.recipients IS
  'The e-mail addresses that are still to be reached; NULL for all of the provider''s.';
COMMENT ON COLUMN alert_deliveries.state IS
  'failed: the receiver refused it for good. dead: the retries are exhausted. skipped: the provider was switched off.';

-- Whether a policy's time window is open at a moment: from the minute window_start through the minute window_end, by the wall
-- clock of the zone, on the days (0 is Monday) on which the window opens. Past midnight the day is still the one before.
CREATE FUNCTION window_is_open(
  at timestamptz, window_start time, window_end time, window_days smallint[], window_timezone text
) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT
    CASE
      WHEN window_start < window_end THEN
        minute BETWEEN window_start AND window_end AND today = ANY (window_days)
      ELSE
        (minute >= window_start AND today = ANY (window_days))
        OR (
          minute < window_start AND (minute <= window_end OR window_start = window_end)
          AND (today + 6) % 7 = ANY (window_days)
        )
    END
  FROM (
    SELECT
      date_trunc('minute', at AT TIME ZONE window_timezone)::time AS minute,
      extract(isodow FROM at AT TIME ZONE window_timezone)::integer - 1 AS today
  ) AS local
);

-- How many of the alerts that are asked for may be raised, given those of this hour and the moment of the latest one.
CREATE FUNCTION throttle_grant(
  asked bigint, throttle_minutes integer, max_alerts_per_hour integer,
  raised_this_hour bigint, last_alert_at timestamptz, at timestamptz
) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN throttle_minutes > 0 AND last_alert_at + make_interval(mins => throttle_minutes) > at THEN 0
  ELSE least(
    asked,
    CASE WHEN throttle_minutes > 0 THEN 1 END,
    CASE WHEN max_alerts_per_hour > 0 THEN greatest(max_alerts_per_hour - raised_this_hour, 0) END
  )
END;

-- A key as it can be indexed: PostgreSQL's indexes take no more than a third of a page, and an event may hold anything.
-- Declared no stricter than the functions in it, so that it is inlined.
CREATE FUNCTION bounded_key(key text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN octet_length(key) <= 255 THEN key
  ELSE 'sha256:' || encode(sha256(convert_to(key, 'UTF8')), 'hex')
END;

-- A moment as clients see it.
CREATE FUNCTION rfc3339(moment timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
