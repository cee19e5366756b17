-- Who changed what, when and from where, and which calls were refused. The rows of a tenant are a chain: each has the hash of
-- the one before it in its own.

CREATE TABLE audit_chains (
  tenant_id text PRIMARY KEY,
  seq bigint NOT NULL DEFAULT 0,
  hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  archived_seq bigint NOT NULL DEFAULT 0,
  archived_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  CHECK (archived_seq <= seq)
) WITH (fillfactor = 50);
COMMENT ON TABLE audit_chains IS
  'The end of each tenant''s chain; the lock of the row is what makes it one chain. Of calls without a known key the tenant is empty.';
COMMENT ON COLUMN audit_chains.archived_seq IS 'Up to this row the chain is in archives and may be deleted here.';

CREATE TABLE audit_log (
  tenant_id text NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  actor_type text NOT NULL CHECK (actor_type IN ('key', 'command', 'job', 'database', 'unknown')),
  actor text,
  address text,
  action text NOT NULL,
  kind text NOT NULL,
  id text,
  before json,
  after json,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);
COMMENT ON TABLE audit_log IS 'What was changed and what was refused, in an order that cannot be altered unnoticed. Append-only.';
COMMENT ON COLUMN audit_log.actor IS
  'By actor_type: the id of a key, the user of the operating system, the name of a job, the role of whoever wrote SQL by hand.';
COMMENT ON COLUMN audit_log.address IS 'Where it came from: the address of a call, the name of the host for the others.';
COMMENT ON COLUMN audit_log.hash IS 'SHA-256 of audit_canonical().';
CREATE INDEX audit_log_subject ON audit_log (tenant_id, kind, id, seq);
CREATE INDEX audit_log_time ON audit_log (tenant_id, at);

CREATE TABLE audit_refusals (
  tenant_id text NOT NULL,
  minute timestamptz NOT NULL,
  actor_type text NOT NULL,
  actor text NOT NULL,
  address text NOT NULL,
  status integer NOT NULL,
  calls bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, minute, actor_type, actor, address, status)
) WITH (fillfactor = 50);
COMMENT ON TABLE audit_refusals IS
  'Refused calls of the minute, counted: the first of each caller is in the audit log at once, the others when the minute is over.';

-- The canonical form: one line of JSON without a blank between its tokens, its members in this order, strings as RFC 8785 has
-- them, the documents to the letter.
CREATE FUNCTION audit_canonical(entry audit_log) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN
  '{"tenant_id":' || to_json(entry.tenant_id)
  || ',"seq":' || entry.seq
  || ',"at":"' || rfc3339(entry.at)
  || '","actor_type":' || to_json(entry.actor_type)
  || ',"actor":' || coalesce(to_json(entry.actor)::text, 'null')
  || ',"address":' || coalesce(to_json(entry.address)::text, 'null')
  || ',"action":' || to_json(entry.action)
  || ',"kind":' || to_json(entry.kind)
  || ',"id":' || coalesce(to_json(entry.id)::text, 'null')
  || ',"before":' || coalesce(entry.before::text, 'null')
  || ',"after":' || coalesce(entry.after::text, 'null')
  || ',"previous_hash":"' || encode(entry.previous_hash, 'hex') || '"}';

-- Line breaks in a document can only stand between its tokens: strings have them escaped.
CREATE FUNCTION audit_append(
  tenant text, actor_type text, actor text, address text, action text, kind text, id text, before json, after json
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  head audit_chains;
  entry audit_log;
BEGIN
  SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_chains (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  END IF;
  entry := ROW(
    tenant, head.seq + 1, clock_timestamp(), actor_type, actor, address, action, kind, id,
    translate(before::text, E'\n\r', '  ')::json, translate(after::text, E'\n\r', '  ')::json, head.hash, NULL);
  entry.hash := sha256(convert_to(audit_canonical(entry), 'UTF8'));
  INSERT INTO audit_log SELECT entry.*;
  UPDATE audit_chains SET seq = entry.seq, hash = entry.hash WHERE tenant_id = tenant;
END
$$;

-- Appends what is done by whom the transaction says; where it does not say, somebody writes SQL by hand.
CREATE FUNCTION audit_note(tenant text, action text, kind text, id text, before json, after json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  actor_type text := nullif(current_setting('tocsin.actor_type', true), '');
BEGIN
  IF actor_type IS NULL THEN
    PERFORM audit_append(
      tenant, 'database', session_user, host(inet_client_addr()), action, kind, id, before, after);
  ELSE
    PERFORM audit_append(
      tenant, actor_type, nullif(current_setting('tocsin.actor', true), ''),
      nullif(current_setting('tocsin.address', true), ''), action, kind, id, before, after);
  END IF;
END
$$;

CREATE TYPE audit_subject AS (tenant_id text, id text, document json);

CREATE FUNCTION audit_subject_of(policy alert_policies) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(policy.tenant_id, policy.policy_id, policy.document)::audit_subject;

CREATE FUNCTION audit_subject_of(rule alert_rules) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(rule.tenant_id, rule.rule_id, rule.document)::audit_subject;

CREATE FUNCTION audit_subject_of(suppression alert_suppressions) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(
  suppression.tenant_id,
  suppression.suppression_id,
  json_build_object(
    'document', suppression.document, 'starts_at', rfc3339(suppression.starts_at),
    'suppressed_until', rfc3339(suppression.suppressed_until)))::audit_subject;

-- The config of a provider as the API shows it. U+0000, which PostgreSQL cannot take a document apart with, becomes U+FFFD.
CREATE FUNCTION audit_config(config json) RETURNS json
LANGUAGE sql STABLE
RETURN (
  SELECT
    coalesce(
      json_object_agg(
        member.key,
        CASE
          WHEN json_typeof(member.value) = 'null' THEN member.value
          WHEN member.key IN ('api_key', 'webhook_url', 'signing_secret', 'previous_signing_secret', 'smtp_password')
            THEN '"********"'
          WHEN member.key = 'headers' AND json_typeof(member.value) = 'object'
            THEN (SELECT coalesce(json_object_agg(name, '********'), '{}') FROM json_object_keys(member.value) AS name)
          ELSE member.value
        END),
      '{}')
  FROM json_each(regexp_replace(config::text, '(?<!\\)((\\\\)*)\\u0000', '\1\\ufffd', 'g')::json) AS member
);

CREATE FUNCTION audit_subject_of(provider alert_providers) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(
  provider.tenant_id,
  provider.provider_id,
  json_build_object(
    'name', provider.name, 'provider_type', provider.provider_type, 'enabled', provider.enabled,
    'config', audit_config(provider.config)))::audit_subject;

CREATE FUNCTION audit_subject_of(key api_keys) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(
  key.tenant_id,
  key.key_id,
  json_build_object(
    'name', key.name, 'role', key.role, 'allowed_cidrs', key.allowed_cidrs, 'expires_at', rfc3339(key.expires_at),
    'revoked_at', rfc3339(key.revoked_at), 'successor_id', key.successor_id, 'created_by', key.created_by))::audit_subject;

CREATE FUNCTION audit_subject_of(alert alerts) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(
  alert.tenant_id,
  alert.alert_id,
  json_build_object(
    'policy_id', alert.policy_id, 'severity', alert.severity, 'status', alert.status,
    'acknowledged_at', rfc3339(alert.acknowledged_at), 'acknowledged_by', alert.acknowledged_by,
    'resolved_at', rfc3339(alert.resolved_at), 'resolved_by', alert.resolved_by))::audit_subject;

CREATE FUNCTION audit_subject_of(delivery alert_deliveries) RETURNS audit_subject
LANGUAGE sql STABLE
RETURN ROW(
  delivery.tenant_id,
  delivery.delivery_id::text,
  json_build_object(
    'alert_id', delivery.alert_id, 'provider_id', delivery.provider_id, 'event', delivery.event,
    'state', delivery.state, 'attempt_count', delivery.attempts))::audit_subject;

-- The kind of what is changed, and what the change is called where it is not plainly create, update or delete.
CREATE FUNCTION audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  was audit_subject;
  becomes audit_subject;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    was := audit_subject_of(OLD);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    becomes := audit_subject_of(NEW);
  END IF;
  PERFORM audit_note(
    coalesce(becomes.tenant_id, was.tenant_id),
    coalesce(TG_ARGV[1], CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'DELETE' THEN 'delete' ELSE 'update' END),
    TG_ARGV[0], coalesce(becomes.id, was.id), was.document, becomes.document);
  RETURN NULL;
END
$$;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON alert_policies
FOR EACH ROW EXECUTE FUNCTION audit_change('policy');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON alert_rules
FOR EACH ROW EXECUTE FUNCTION audit_change('rule');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON alert_providers
FOR EACH ROW EXECUTE FUNCTION audit_change('provider');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON alert_suppressions
FOR EACH ROW EXECUTE FUNCTION audit_change('suppression');
CREATE TRIGGER audit AFTER INSERT OR DELETE ON api_keys
FOR EACH ROW EXECUTE FUNCTION audit_change('key');
CREATE TRIGGER audit_rotate AFTER UPDATE OF successor_id ON api_keys
FOR EACH ROW WHEN (OLD.successor_id IS DISTINCT FROM NEW.successor_id) EXECUTE FUNCTION audit_change('key', 'rotate');
CREATE TRIGGER audit_update AFTER UPDATE OF key_id, name, role, digest, expires_at, allowed_cidrs ON api_keys
FOR EACH ROW WHEN (OLD.successor_id IS NOT DISTINCT FROM NEW.successor_id) EXECUTE FUNCTION audit_change('key');
CREATE TRIGGER audit_revoke AFTER UPDATE OF revoked_at ON api_keys
FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION audit_change('key', 'revoke');

-- Alerts and deliveries are written in masses that are no matter of the audit log: only these columns tell of a person.
CREATE TRIGGER audit_acknowledge AFTER UPDATE OF status ON alerts
FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'acknowledged')
EXECUTE FUNCTION audit_change('alert', 'acknowledge');
CREATE TRIGGER audit_resolve AFTER UPDATE OF status ON alerts
FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'resolved')
EXECUTE FUNCTION audit_change('alert', 'resolve');
CREATE TRIGGER audit_retry AFTER UPDATE OF retried_at ON alert_deliveries
FOR EACH ROW EXECUTE FUNCTION audit_change('delivery', 'retry');

-- A flood of refused calls neither fills the disk nor waits for one lock: of 20 callers a minute each is told with the number of
-- its calls, and all others together.
CREATE FUNCTION audit_refuse(tenant text, call text, refusal integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  this_minute timestamptz := date_trunc('minute', now());
  caller_type text := current_setting('tocsin.actor_type');
  caller text := current_setting('tocsin.actor');
  source text := current_setting('tocsin.address');
  number bigint;
BEGIN
  UPDATE audit_refusals
  SET calls = calls + 1, last_at = now()
  WHERE (tenant_id, minute, actor_type, actor, address, status)
    = (tenant, this_minute, caller_type, caller, source, refusal);
  IF FOUND THEN
    RETURN;
  END IF;
  IF (SELECT count(*) FROM audit_refusals WHERE tenant_id = tenant AND minute = this_minute) >= 20 THEN
    caller_type := 'unknown';
    caller := '';
    source := '';
  END IF;
  INSERT INTO audit_refusals AS refusals (tenant_id, minute, actor_type, actor, address, status, calls, last_at)
  VALUES (tenant, this_minute, caller_type, caller, source, refusal, 1, now())
  ON CONFLICT (tenant_id, minute, actor_type, actor, address, status) DO UPDATE
  SET calls = refusals.calls + 1, last_at = now()
  RETURNING calls INTO number;
  IF number = 1 THEN
    PERFORM audit_append(
      tenant, caller_type, nullif(caller, ''), nullif(source, ''), 'refuse', 'call', call, NULL,
      json_build_object('status', refusal));
  END IF;
END
$$;

-- Appends how many calls were refused beside the first of each caller, of the minutes that are over, and tells of how many
-- callers.
CREATE FUNCTION audit_fold() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  folded record;
  callers bigint := 0;
BEGIN
  FOR folded IN
    WITH over AS (
      DELETE FROM audit_refusals
      WHERE minute < date_trunc('minute', now())
      RETURNING *
    )
    SELECT *
    FROM over
    WHERE calls > 1
    ORDER BY tenant_id, minute, actor_type, actor, address, status
  LOOP
    PERFORM audit_append(
      folded.tenant_id, folded.actor_type, nullif(folded.actor, ''), nullif(folded.address, ''), 'refuse', 'call', NULL,
      NULL, json_build_object(
        'status', folded.status, 'calls', folded.calls - 1, 'from', rfc3339(folded.minute),
        'to', rfc3339(folded.last_at)));
    callers := callers + 1;
  END LOOP;
  RETURN callers;
END
$$;

-- The one way for rows to leave: they are in a file, and the chain says so.
CREATE FUNCTION audit_archive(tenant text, through_seq bigint, through_hash bytea, file text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  head audit_chains;
  rows bigint;
BEGIN
  SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  PERFORM FROM audit_log WHERE tenant_id = tenant AND seq = through_seq AND hash = through_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'row % of the audit log is not the one that was archived', through_seq;
  END IF;
  UPDATE audit_chains SET archived_seq = through_seq, archived_hash = through_hash WHERE tenant_id = tenant;
  DELETE FROM audit_log WHERE tenant_id = tenant AND seq <= through_seq;
  GET DIAGNOSTICS rows = ROW_COUNT;
  PERFORM audit_note(
    tenant, 'archive', 'audit-log', NULL, NULL,
    json_build_object(
      'from_seq', head.archived_seq + 1, 'through_seq', through_seq, 'through_hash', encode(through_hash, 'hex'),
      'file', file));
  RETURN rows;
END
$$;

CREATE FUNCTION audit_log_is_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM FROM audit_chains WHERE tenant_id = OLD.tenant_id AND archived_seq >= OLD.seq;
    IF FOUND THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only'
    USING ERRCODE = 'insufficient_privilege', HINT = 'tocsin audit archive moves what is old to a file.';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

CREATE FUNCTION audit_chain_only_grows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.tenant_id = OLD.tenant_id
      AND (
        NEW.seq = OLD.seq + 1 AND (NEW.archived_seq, NEW.archived_hash) = (OLD.archived_seq, OLD.archived_hash)
        OR (NEW.seq, NEW.hash) = (OLD.seq, OLD.hash) AND NEW.archived_seq > OLD.archived_seq
      )
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the chain of the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON audit_chains
FOR EACH ROW EXECUTE FUNCTION audit_chain_only_grows();
CREATE TRIGGER only_grows_truncate BEFORE TRUNCATE ON audit_chains
FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_only_grows();
