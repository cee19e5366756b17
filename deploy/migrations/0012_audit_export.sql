-- The audit log is told outside, by one process at a time.

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
CREATE POLICY tenant ON audit_exports
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));
CREATE POLICY every_tenant ON audit_exports TO tocsin_export_audit USING (true);
ALTER POLICY every_tenant ON audit_log TO tocsin_auditor, tocsin_operator, tocsin_export_audit;
ALTER POLICY every_tenant ON audit_chains TO tocsin_auditor, tocsin_operator, tocsin_export_audit;

GRANT SELECT, INSERT, UPDATE ON audit_exports TO tocsin_export_audit;
GRANT SELECT ON audit_log, audit_chains TO tocsin_export_audit;
GRANT SELECT, INSERT, UPDATE, DELETE ON job_leases, alert_job_runs TO tocsin_export_audit;
