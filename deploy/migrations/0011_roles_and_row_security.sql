-- PostgreSQL keeps tenants apart once more, whatever a statement says, and lets each program do what that program has to.
--
-- A transaction begins with taking its program's role and naming its tenant (`Store/Opening.swift`). Whoever logs in may by that
-- alone look keys up and take a role; so programs may share a login, and a pool of connections. Where each program has a login of
-- its own, that is a member of the one role alone.

-- Roles are the whole cluster's: another database of it may have made them before, or be making them at this moment.
DO $$
DECLARE
  programs constant text[] := ARRAY[
    'tocsin_alerts', 'tocsin_audit_log', 'tocsin_deliveries', 'tocsin_health', 'tocsin_keys', 'tocsin_policies',
    'tocsin_process_event', 'tocsin_providers', 'tocsin_rules', 'tocsin_suppressions', 'tocsin_check_storage',
    'tocsin_deliver', 'tocsin_replay', 'tocsin_operator'];
  others constant text[] := ARRAY['tocsin_programs', 'tocsin_key_check', 'tocsin_auditor'];
  command text;
  remedy text;
BEGIN
  FOR command, remedy IN
    SELECT format('CREATE ROLE %I NOLOGIN NOINHERIT', role), format('ALTER ROLE %I CREATEROLE', current_user)
    FROM unnest(programs || others) AS role
    WHERE to_regrole(role) IS NULL
    UNION ALL
    -- Who migrates may be who logs in, and has to be a member of the owner of what is made here.
    SELECT format('GRANT %I TO %I', role, member), membership.remedy
    FROM (
      SELECT role, 'tocsin_programs' AS member, format('GRANT %I TO tocsin_programs', role) AS remedy
      FROM unnest(programs) AS role
      UNION ALL
      SELECT role, current_user, format('GRANT %s TO %I', array_to_string(others, ', '), current_user)
      FROM unnest(others) AS role
      WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    ) AS membership
    WHERE NOT EXISTS (
      SELECT
      FROM pg_auth_members AS known
      WHERE known.roleid = to_regrole(role) AND known.member = to_regrole(quote_ident(membership.member))
    )
  LOOP
    BEGIN
      EXECUTE command;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the programs need roles, which % may not make or take: as a superuser run %, then migrate again',
          quote_ident(current_user), remedy;
    END;
  END LOOP;
END
$$;

-- FORCE: neither does the owner see anything without saying of whom. In a session in which nobody ever has, that is an error: a
-- program from before this would take no rows for no policies, and events for such that none matches.
--
-- Every statement has a condition on the tenant of its own, by which rows are found. coalesce() keeps the policy from choosing an
-- index by the tenant alone, and the planner from taking both conditions together for one that leaves next to nothing.
DO $$
DECLARE
  kept regclass;
BEGIN
  FOR kept IN
    SELECT attrelid
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE attname = 'tenant_id' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace
    ORDER BY relname
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', kept);
    EXECUTE format(
      $policy$
        CREATE POLICY tenant ON %s
        USING (coalesce(tenant_id = current_setting('tocsin.tenant'), false))
      $policy$, kept);
  END LOOP;
END
$$;

-- These have rows of no tenant, of calls without a known key: whoever names none sees none of them either.
ALTER POLICY tenant ON audit_chains
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));
ALTER POLICY tenant ON audit_log
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));
ALTER POLICY tenant ON audit_refusals
USING (coalesce(tenant_id = nullif(current_setting('tocsin.tenant'), ''), false));

-- Who works for all tenants, and on what. What they may do there, the grants say.
CREATE POLICY every_tenant ON tenants TO tocsin_key_check, tocsin_programs, tocsin_operator USING (true);
CREATE POLICY every_tenant ON api_keys
TO tocsin_key_check, tocsin_programs, tocsin_replay, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_policies TO tocsin_deliver, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_providers TO tocsin_deliver, tocsin_check_storage, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_provider_health TO tocsin_deliver, tocsin_check_storage USING (true);
CREATE POLICY every_tenant ON alert_deliveries TO tocsin_deliver, tocsin_check_storage, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_delivery_attempts TO tocsin_deliver USING (true);
CREATE POLICY every_tenant ON alerts TO tocsin_deliver, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_held_back TO tocsin_deliver USING (true);
CREATE POLICY every_tenant ON alert_decisions TO tocsin_deliver USING (true);
CREATE POLICY every_tenant ON alert_decision_counts TO tocsin_deliver, tocsin_operator USING (true);
CREATE POLICY every_tenant ON alert_throttles TO tocsin_deliver USING (true);
CREATE POLICY every_tenant ON alert_admission_marks TO tocsin_deliver USING (true);
CREATE POLICY every_tenant ON alert_spool_replays TO tocsin_replay USING (true);
CREATE POLICY every_tenant ON audit_log TO tocsin_auditor, tocsin_operator USING (true);
CREATE POLICY every_tenant ON audit_chains TO tocsin_auditor, tocsin_operator USING (true);
CREATE POLICY every_tenant ON audit_refusals TO tocsin_auditor USING (true);

-- Before a role is taken: whose key it is. And whether the schema is the program's.
GRANT SELECT (tenant_id, key_id, role, digest, allowed_cidrs, expires_at, revoked_at, last_used_at) ON api_keys
TO tocsin_key_check, tocsin_programs;
GRANT SELECT (tenant_id, policy_epoch) ON tenants TO tocsin_key_check, tocsin_programs;
GRANT SELECT ON schema_migrations TO tocsin_programs, tocsin_operator;

-- Each route notes that the keys which it is called with are in use.
GRANT SELECT (tenant_id, key_id, last_used_at), UPDATE (last_used_at) ON api_keys
TO tocsin_alerts, tocsin_audit_log, tocsin_deliveries, tocsin_policies, tocsin_process_event, tocsin_providers, tocsin_rules,
  tocsin_suppressions;

GRANT SELECT, UPDATE (status, acknowledged_at, acknowledged_by, resolved_at, resolved_by, updated_at) ON alerts
TO tocsin_alerts;
GRANT SELECT ON alert_repeats TO tocsin_alerts;
GRANT SELECT, INSERT (tenant_id, alert_id, provider_id, event, state, next_attempt_at) ON alert_deliveries TO tocsin_alerts;

GRANT SELECT ON audit_log TO tocsin_audit_log;

GRANT SELECT, UPDATE (state, next_attempt_at, retried_at, attempts_before, recipients, updated_at) ON alert_deliveries
TO tocsin_deliveries;
GRANT SELECT ON alert_delivery_attempts TO tocsin_deliveries;
GRANT SELECT (tenant_id, provider_id, enabled) ON alert_providers TO tocsin_deliveries;
GRANT SELECT (tenant_id, alert_id, policy_id) ON alerts TO tocsin_deliveries;

GRANT SELECT ON alert_job_runs TO tocsin_health;

GRANT SELECT, INSERT, UPDATE ON api_keys TO tocsin_keys;
GRANT SELECT (tenant_id), INSERT (tenant_id) ON tenants TO tocsin_keys;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_policies TO tocsin_policies;
GRANT SELECT (tenant_id, provider_id) ON alert_providers TO tocsin_policies;
GRANT SELECT (tenant_id, rule_id) ON alert_rules TO tocsin_policies;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_rules TO tocsin_rules;
GRANT SELECT (tenant_id, policy_id, rule_ids) ON alert_policies TO tocsin_rules;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_suppressions TO tocsin_suppressions;

GRANT SELECT (tenant_id, policy_epoch), UPDATE (policy_epoch) ON tenants
TO tocsin_policies, tocsin_rules, tocsin_suppressions;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_providers TO tocsin_providers;
GRANT SELECT (tenant_id, policy_id, provider_ids) ON alert_policies TO tocsin_providers;
GRANT SELECT, UPDATE ON alert_provider_health TO tocsin_providers;
GRANT SELECT, INSERT (tenant_id, provider_id, event, state, next_attempt_at) ON alert_deliveries TO tocsin_providers;
GRANT SELECT ON alert_delivery_attempts TO tocsin_providers;

-- Events are admitted as they come in, and those that were spooled later.
GRANT SELECT (tenant_id, policy_epoch) ON tenants TO tocsin_process_event, tocsin_replay;
GRANT SELECT (tenant_id, key_id, role, digest, allowed_cidrs, expires_at, revoked_at) ON api_keys
TO tocsin_process_event, tocsin_replay;
GRANT SELECT ON alert_policies, alert_rules, alert_suppressions TO tocsin_process_event, tocsin_replay;
GRANT SELECT (tenant_id, provider_id, enabled) ON alert_providers TO tocsin_process_event, tocsin_replay;
GRANT SELECT, INSERT ON alerts, alert_decisions, alert_deliveries TO tocsin_process_event, tocsin_replay;
GRANT SELECT, INSERT, UPDATE
ON alert_repeats, alert_throttles, alert_decision_counts, alert_held_back, alert_admission_marks
TO tocsin_process_event, tocsin_replay;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_spool_replays TO tocsin_replay;

-- What is to be deleted is locked first, which takes UPDATE.
GRANT SELECT ON alert_policies TO tocsin_deliver;
GRANT SELECT, UPDATE (enabled, updated_at) ON alert_providers TO tocsin_deliver;
GRANT SELECT, INSERT, UPDATE (status, resolved_at, resolved_by, updated_at) ON alerts TO tocsin_deliver;
GRANT SELECT, INSERT, UPDATE ON alert_provider_health TO tocsin_deliver;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_deliveries, alert_delivery_attempts TO tocsin_deliver;
GRANT SELECT, UPDATE, DELETE
ON alert_held_back, alert_decisions, alert_decision_counts, alert_throttles, alert_admission_marks
TO tocsin_deliver;

GRANT SELECT (tenant_id, provider_id, enabled) ON alert_providers TO tocsin_check_storage;
GRANT SELECT (tenant_id, provider_id, open_until, paced_until) ON alert_provider_health TO tocsin_check_storage;
GRANT SELECT (tenant_id, provider_id, state, next_attempt_at, leased_until, created_at, retried_at) ON alert_deliveries
TO tocsin_check_storage;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_job_runs TO tocsin_check_storage, tocsin_deliver, tocsin_replay;

-- The command line.
GRANT SELECT, INSERT (tenant_id) ON tenants TO tocsin_operator;
GRANT SELECT, INSERT, UPDATE ON api_keys TO tocsin_operator;
GRANT SELECT, UPDATE (config) ON alert_providers TO tocsin_operator;
GRANT SELECT ON alert_policies, alerts, alert_deliveries, alert_decision_counts, alert_job_runs, audit_log, audit_chains
TO tocsin_operator;

-- The audit log is written by functions alone, and so is what they go by. Whose they are may not change an entry either.
GRANT SELECT, INSERT, UPDATE ON audit_chains TO tocsin_auditor;
GRANT SELECT, INSERT, DELETE ON audit_log TO tocsin_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_refusals TO tocsin_auditor;

REVOKE EXECUTE ON FUNCTION audit_append, audit_note, audit_change, audit_refuse, audit_fold, audit_archive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO tocsin_auditor;
GRANT EXECUTE ON FUNCTION audit_note TO tocsin_providers;
GRANT EXECUTE ON FUNCTION audit_refuse
TO tocsin_alerts, tocsin_audit_log, tocsin_deliveries, tocsin_keys, tocsin_policies, tocsin_process_event, tocsin_providers,
  tocsin_rules, tocsin_suppressions;
GRANT EXECUTE ON FUNCTION audit_fold TO tocsin_deliver;
GRANT EXECUTE ON FUNCTION audit_archive TO tocsin_operator;

-- What these call is found in the schema, where nobody but its owner may put anything.
DO $$
DECLARE
  writer regprocedure;
BEGIN
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO tocsin_auditor', current_schema());
  FOR writer IN
    SELECT oid
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
      AND proname IN ('audit_note', 'audit_change', 'audit_refuse', 'audit_fold', 'audit_archive')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', writer, current_schema());
    EXECUTE format('ALTER FUNCTION %s OWNER TO tocsin_auditor', writer);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM tocsin_auditor', current_schema());
END
$$;

-- Behind a policy PostgreSQL finds rows by those conditions alone that cannot tell what they have seen. || might, by an error, so
-- what kept these indexes apart from the primary keys is now another collation.
DROP INDEX alerts_newest_first, alert_deliveries_newest_first, alert_deliveries_given_up, alert_deliveries_of_provider;
CREATE INDEX alerts_newest_first ON alerts (tenant_id COLLATE "C", triggered_at DESC, alert_id DESC);
CREATE INDEX alert_deliveries_newest_first
  ON alert_deliveries (tenant_id COLLATE "C", created_at DESC, delivery_id DESC);
CREATE INDEX alert_deliveries_given_up
  ON alert_deliveries (tenant_id COLLATE "C", created_at DESC, delivery_id DESC) WHERE state IN ('failed', 'dead');
CREATE INDEX alert_deliveries_of_provider
  ON alert_deliveries (provider_id COLLATE "C", tenant_id COLLATE "C", created_at DESC, delivery_id DESC);
