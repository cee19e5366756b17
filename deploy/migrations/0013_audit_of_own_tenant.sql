-- What a program calls to write the audit log writes that of the tenant that its transaction is for, and no other: the functions see
-- all tenants, so no policy stands in their way. And nothing that the log tells of is changed by hand without an entry.

-- As audit_note was: appends what is done by whom the transaction says, for the functions that have seen to whose log it is.
CREATE FUNCTION audit_write(tenant text, action text, kind text, id text, before json, after json) RETURNS void
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

-- A row that was written is of a tenant whose rows the writer may write. One that is given to another tenant, which is done by hand
-- alone, is gone from the one log and new in the other.
CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger
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
  IF was.tenant_id <> becomes.tenant_id THEN
    PERFORM audit_write(was.tenant_id, 'delete', TG_ARGV[0], was.id, was.document, NULL);
    PERFORM audit_write(becomes.tenant_id, 'create', TG_ARGV[0], becomes.id, NULL, becomes.document);
    RETURN NULL;
  END IF;
  PERFORM audit_write(
    coalesce(becomes.tenant_id, was.tenant_id),
    coalesce(TG_ARGV[1], CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'DELETE' THEN 'delete' ELSE 'update' END),
    TG_ARGV[0], coalesce(becomes.id, was.id), was.document, becomes.document);
  RETURN NULL;
END
$$;

DROP TRIGGER audit_update ON api_keys;
CREATE TRIGGER audit_update AFTER UPDATE OF tenant_id, key_id, name, role, digest, expires_at, allowed_cidrs ON api_keys
FOR EACH ROW WHEN (OLD.successor_id IS NOT DISTINCT FROM NEW.successor_id) EXECUTE FUNCTION audit_change('key');

-- TRUNCATE tells of no row.
CREATE FUNCTION audit_no_truncation() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log would not tell what is gone'
    USING ERRCODE = 'insufficient_privilege', HINT = 'DELETE leaves an entry of each row.';
END
$$;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON alert_policies
FOR EACH STATEMENT EXECUTE FUNCTION audit_no_truncation();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON alert_rules
FOR EACH STATEMENT EXECUTE FUNCTION audit_no_truncation();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON alert_providers
FOR EACH STATEMENT EXECUTE FUNCTION audit_no_truncation();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON alert_suppressions
FOR EACH STATEMENT EXECUTE FUNCTION audit_no_truncation();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON api_keys
FOR EACH STATEMENT EXECUTE FUNCTION audit_no_truncation();

-- For the command line, which works for all tenants.
CREATE OR REPLACE FUNCTION audit_archive(tenant text, through_seq bigint, through_hash bytea, file text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  head audit_chains;
BEGIN
  SELECT * INTO head FROM audit_chains WHERE tenant_id = tenant FOR UPDATE;
  PERFORM FROM audit_log WHERE tenant_id = tenant AND seq = through_seq AND hash = through_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'row % of the audit log is not the one that was archived', through_seq;
  END IF;
  UPDATE audit_chains SET archived_seq = through_seq, archived_hash = through_hash WHERE tenant_id = tenant;
  PERFORM audit_write(
    tenant, 'archive', 'audit-log', NULL, NULL,
    json_build_object(
      'from_seq', head.archived_seq + 1, 'through_seq', through_seq, 'through_hash', encode(through_hash, 'hex'),
      'file', file));
  RETURN through_seq - head.archived_seq;
END
$$;

-- For what a route does that no trigger tells of.
CREATE OR REPLACE FUNCTION audit_note(tenant text, action text, kind text, id text, before json, after json) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF tenant IS DISTINCT FROM current_setting('tocsin.tenant') THEN
    RAISE EXCEPTION 'the transaction is for another tenant than the entry' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM audit_write(tenant, action, kind, id, before, after);
END
$$;

-- A call without a known key is for no tenant, and so is its transaction.
CREATE OR REPLACE FUNCTION audit_refuse(tenant text, call text, refusal integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  this_minute timestamptz := date_trunc('minute', now());
  caller_type text := current_setting('tocsin.actor_type');
  caller text := current_setting('tocsin.actor');
  source text := current_setting('tocsin.address');
  number bigint;
BEGIN
  IF tenant IS DISTINCT FROM current_setting('tocsin.tenant') THEN
    RAISE EXCEPTION 'the transaction is for another tenant than the entry' USING ERRCODE = 'insufficient_privilege';
  END IF;
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

REVOKE EXECUTE ON FUNCTION audit_write FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_write TO tocsin_auditor;

-- What was replaced has lost this.
DO $$
DECLARE
  writer regprocedure;
BEGIN
  FOR writer IN
    SELECT oid
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
      AND proname IN ('audit_note', 'audit_change', 'audit_refuse', 'audit_archive')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', writer, current_schema());
  END LOOP;
END
$$;
