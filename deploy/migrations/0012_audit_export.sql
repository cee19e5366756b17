-- The audit log is told outside, by one process at a time, and what is archived leaves a little at a time.

CREATE TABLE job_leases (
  job text PRIMARY KEY,
  holder text NOT NULL,
  leased_until timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE job_leases IS
  'Which process does what only one should do at a time, on whatever host. It is anybody''s when the time is over.';

CREATE TABLE audit_exports (
  tenant_id text PRIMARY KEY,
  seq bigint NOT NULL,
  exported_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE audit_exports IS 'Up to which entry the audit log of each tenant has been sent to the syslog server.';

CREATE TABLE audit_anchors (
  tenant_id text PRIMARY KEY,
  seq bigint NOT NULL,
  anchored_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE audit_anchors IS
  'The head of each tenant''s chain that was last sent outside, where it is kept as an anchor.';

-- Rows leave in two steps: the chain says that they are in a file, which is done in a moment, and then they are removed, a few at a
-- time. In between they are before the chain's beginning, and no harm.
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
  PERFORM audit_note(
    tenant, 'archive', 'audit-log', NULL, NULL,
    json_build_object(
      'from_seq', head.archived_seq + 1, 'through_seq', through_seq, 'through_hash', encode(through_hash, 'hex'),
      'file', file));
  RETURN through_seq - head.archived_seq;
END
$$;

-- Without the lock of the chain: who adds an entry does not wait for it.
CREATE FUNCTION audit_remove_archived(tenant text, row_limit bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  rows bigint;
BEGIN
  DELETE FROM audit_log
  WHERE tenant_id = tenant
    AND seq IN (
      SELECT entry.seq
      FROM audit_log AS entry
      JOIN audit_chains AS chain USING (tenant_id)
      WHERE tenant_id = tenant AND entry.seq <= archived_seq
      ORDER BY entry.seq
      LIMIT row_limit
    );
  GET DIAGNOSTICS rows = ROW_COUNT;
  RETURN rows;
END
$$;

-- The job that tells of it, in the database. Roles are the whole cluster's: see the migration that made the others.
DO $$
DECLARE
  command text;
  remedy text;
BEGIN
  FOR command, remedy IN
    SELECT 'CREATE ROLE tocsin_export_audit NOLOGIN NOINHERIT', format('ALTER ROLE %I CREATEROLE', current_user)
    WHERE to_regrole('tocsin_export_audit') IS NULL
    UNION ALL
    SELECT grant_it, grant_it
    FROM (VALUES ('GRANT tocsin_export_audit TO tocsin_programs')) AS membership (grant_it)
    WHERE NOT EXISTS (
      SELECT
      FROM pg_auth_members
      WHERE roleid = to_regrole('tocsin_export_audit') AND member = to_regrole('tocsin_programs')
    )
  LOOP
    BEGIN
      EXECUTE command;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'a program needs a role, which % may not make or give: as a superuser run %, then migrate again',
          quote_ident(current_user), remedy;
    END;
  END LOOP;
END
$$;

ALTER TABLE audit_exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_anchors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_exports
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));
CREATE POLICY tenant ON audit_anchors
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));
CREATE POLICY every_tenant ON audit_exports TO tocsin_export_audit, tocsin_operator USING (true);
CREATE POLICY every_tenant ON audit_anchors TO tocsin_export_audit USING (true);
ALTER POLICY every_tenant ON audit_log TO tocsin_auditor, tocsin_operator, tocsin_export_audit;
ALTER POLICY every_tenant ON audit_chains TO tocsin_auditor, tocsin_operator, tocsin_export_audit;

GRANT SELECT, INSERT, UPDATE ON audit_exports, audit_anchors TO tocsin_export_audit;
GRANT SELECT ON audit_log, audit_chains TO tocsin_export_audit;
GRANT SELECT ON audit_exports TO tocsin_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON job_leases, alert_job_runs TO tocsin_export_audit;

REVOKE EXECUTE ON FUNCTION audit_remove_archived FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_remove_archived TO tocsin_operator;

DO $$
DECLARE
  writer regprocedure;
BEGIN
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO tocsin_auditor', current_schema());
  FOR writer IN
    SELECT oid
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname IN ('audit_archive', 'audit_remove_archived')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', writer, current_schema());
    EXECUTE format('ALTER FUNCTION %s OWNER TO tocsin_auditor', writer);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM tocsin_auditor', current_schema());
END
$$;
