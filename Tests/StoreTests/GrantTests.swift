import TestSupport
import Testing

/// All that has been granted to the programs' roles: on tables, their columns, functions and the schema.
@Suite("Grants") struct GrantTests {
  @Test("Each role may do this, and nothing else")
  func all() throws {
    let granted = try TestDatabase().texts(Self.query)
    #expect(granted.joined(separator: "\n") == Self.expected)
  }

  private static let query = """
    SELECT grantee || string_agg(E'\\n  ' || name || ' ' || privileges, '' ORDER BY name COLLATE "C")
    FROM (
      SELECT
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee, name,
        string_agg(privilege, ', ' ORDER BY privilege COLLATE "C") AS privileges
      FROM (
        SELECT (aclexplode(relacl)).grantee, relname AS name, (aclexplode(relacl)).privilege_type AS privilege
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT
          grantee, relname, privilege_type || ' (' || string_agg(attname, ', ' ORDER BY attname COLLATE "C") || ')'
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        CROSS JOIN LATERAL aclexplode(attacl)
        WHERE relnamespace = 'public'::regnamespace
        GROUP BY grantee, relname, privilege_type
        UNION ALL
        SELECT grantee, proname || '()', privilege_type
        FROM pg_proc
        CROSS JOIN LATERAL aclexplode(proacl)
        WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT grantee, 'the schema', privilege_type
        FROM pg_namespace
        CROSS JOIN LATERAL aclexplode(nspacl)
        WHERE nspname = 'public'
      ) AS granted (grantee, name, privilege)
      WHERE grantee = 0 OR grantee::regrole::text LIKE 'tocsin\\_%'
      GROUP BY granted.grantee, name
    ) AS grants
    GROUP BY grantee
    ORDER BY grantee COLLATE "C"
    """

  private static let expected = """
    PUBLIC
      the schema USAGE
    tocsin_alerts
      alert_deliveries INSERT (alert_id, event, next_attempt_at, provider_id, state, tenant_id), SELECT
      alert_repeats SELECT
      alerts SELECT, UPDATE (acknowledged_at, acknowledged_by, resolved_at, resolved_by, status, updated_at)
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
    tocsin_audit_log
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_log SELECT
      audit_refuse() EXECUTE
    tocsin_auditor
      audit_append() EXECUTE
      audit_archive() EXECUTE
      audit_chains INSERT, SELECT, UPDATE
      audit_change() EXECUTE
      audit_fold() EXECUTE
      audit_log DELETE, INSERT, SELECT
      audit_note() EXECUTE
      audit_refusals DELETE, INSERT, SELECT, UPDATE
      audit_refuse() EXECUTE
      audit_remove_archived() EXECUTE
      audit_write() EXECUTE
    tocsin_check_storage
      alert_deliveries SELECT (created_at, leased_until, next_attempt_at, provider_id, retried_at, state, tenant_id)
      alert_job_runs DELETE, INSERT, SELECT, UPDATE
      alert_provider_health SELECT (open_until, paced_until, provider_id, tenant_id)
      alert_providers SELECT (enabled, provider_id, tenant_id)
    tocsin_deliver
      alert_admission_marks DELETE, SELECT, UPDATE
      alert_decision_counts DELETE, SELECT, UPDATE
      alert_decisions DELETE, SELECT, UPDATE
      alert_deliveries DELETE, INSERT, SELECT, UPDATE
      alert_delivery_attempts DELETE, INSERT, SELECT, UPDATE
      alert_held_back DELETE, SELECT, UPDATE
      alert_job_runs DELETE, INSERT, SELECT, UPDATE
      alert_policies SELECT
      alert_provider_health INSERT, SELECT, UPDATE
      alert_providers SELECT, UPDATE (enabled, updated_at)
      alert_throttles DELETE, SELECT, UPDATE
      alerts INSERT, SELECT, UPDATE (resolved_at, resolved_by, status, updated_at)
      audit_fold() EXECUTE
    tocsin_deliveries
      alert_deliveries SELECT, UPDATE (attempts_before, next_attempt_at, recipients, retried_at, state, updated_at)
      alert_delivery_attempts SELECT
      alert_providers SELECT (enabled, provider_id, tenant_id)
      alerts SELECT (alert_id, policy_id, tenant_id)
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
    tocsin_export_audit
      alert_job_runs DELETE, INSERT, SELECT, UPDATE
      audit_anchors INSERT, SELECT, UPDATE
      audit_chains SELECT
      audit_exports INSERT, SELECT, UPDATE
      audit_log SELECT
      job_leases DELETE, INSERT, SELECT, UPDATE
    tocsin_health
      alert_job_runs SELECT
    tocsin_key_check
      api_keys SELECT (allowed_cidrs, digest, expires_at, key_id, last_used_at, revoked_at, role, tenant_id)
      tenants SELECT (policy_epoch, tenant_id)
    tocsin_keys
      api_keys INSERT, SELECT, UPDATE
      audit_refuse() EXECUTE
      tenants INSERT (tenant_id), SELECT (tenant_id)
    tocsin_operator
      alert_decision_counts SELECT
      alert_deliveries SELECT
      alert_job_runs SELECT
      alert_policies SELECT
      alert_providers SELECT, UPDATE (config)
      alerts SELECT
      api_keys INSERT, SELECT, UPDATE
      audit_archive() EXECUTE
      audit_chains SELECT
      audit_exports SELECT
      audit_log SELECT
      audit_remove_archived() EXECUTE
      schema_migrations SELECT
      tenants INSERT (tenant_id), SELECT
    tocsin_policies
      alert_policies DELETE, INSERT, SELECT, UPDATE
      alert_providers SELECT (provider_id, tenant_id)
      alert_rules SELECT (rule_id, tenant_id)
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
      tenants SELECT (policy_epoch, tenant_id), UPDATE (policy_epoch)
    tocsin_process_event
      alert_admission_marks INSERT, SELECT, UPDATE
      alert_decision_counts INSERT, SELECT, UPDATE
      alert_decisions INSERT, SELECT
      alert_deliveries INSERT, SELECT
      alert_held_back INSERT, SELECT, UPDATE
      alert_policies SELECT
      alert_providers SELECT (enabled, provider_id, tenant_id)
      alert_repeats INSERT, SELECT, UPDATE
      alert_rules SELECT
      alert_suppressions SELECT
      alert_throttles INSERT, SELECT, UPDATE
      alerts INSERT, SELECT
      api_keys SELECT (allowed_cidrs, digest, expires_at, key_id, last_used_at, revoked_at, role, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
      tenants SELECT (policy_epoch, tenant_id)
    tocsin_programs
      api_keys SELECT (allowed_cidrs, digest, expires_at, key_id, last_used_at, revoked_at, role, tenant_id)
      schema_migrations SELECT
      tenants SELECT (policy_epoch, tenant_id)
    tocsin_providers
      alert_deliveries INSERT (event, next_attempt_at, provider_id, state, tenant_id), SELECT
      alert_delivery_attempts SELECT
      alert_policies SELECT (policy_id, provider_ids, tenant_id)
      alert_provider_health SELECT, UPDATE
      alert_providers DELETE, INSERT, SELECT, UPDATE
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_note() EXECUTE
      audit_refuse() EXECUTE
    tocsin_replay
      alert_admission_marks INSERT, SELECT, UPDATE
      alert_decision_counts INSERT, SELECT, UPDATE
      alert_decisions INSERT, SELECT
      alert_deliveries INSERT, SELECT
      alert_held_back INSERT, SELECT, UPDATE
      alert_job_runs DELETE, INSERT, SELECT, UPDATE
      alert_policies SELECT
      alert_providers SELECT (enabled, provider_id, tenant_id)
      alert_repeats INSERT, SELECT, UPDATE
      alert_rules SELECT
      alert_spool_replays DELETE, INSERT, SELECT, UPDATE
      alert_suppressions SELECT
      alert_throttles INSERT, SELECT, UPDATE
      alerts INSERT, SELECT
      api_keys SELECT (allowed_cidrs, digest, expires_at, key_id, revoked_at, role, tenant_id)
      tenants SELECT (policy_epoch, tenant_id)
    tocsin_rules
      alert_policies SELECT (policy_id, rule_ids, tenant_id)
      alert_rules DELETE, INSERT, SELECT, UPDATE
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
      tenants SELECT (policy_epoch, tenant_id), UPDATE (policy_epoch)
    tocsin_suppressions
      alert_suppressions DELETE, INSERT, SELECT, UPDATE
      api_keys SELECT (key_id, last_used_at, tenant_id), UPDATE (last_used_at)
      audit_refuse() EXECUTE
      tenants SELECT (policy_epoch, tenant_id), UPDATE (policy_epoch)
    """
}
