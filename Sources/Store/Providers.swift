import Delivery
import Host
import JSON
import Postgres

extension Store {
  /// One provider, its secrets masked; nil if there is none of that id.
  package func provider(tenant: String, id: String) throws(PostgresError) -> Record? {
    try read(Self.providerByID, .text(tenant), .text(id)).first.map { row in
      Self.masked(Record(row: row, tenant: tenant), disabledReason: row.textOrNil(5))
    }
  }

  /// A provider with its secrets; masks in the place of those that cannot be opened, so that a change can bring them anew.
  private func storedProvider(tenant: String, id: String) throws(PostgresError) -> Record? {
    guard let row = try read(Self.providerByID, .text(tenant), .text(id)).first else { return nil }
    let record = Record(row: row, tenant: tenant)
    do throws(SealFault) {
      return record.with(document: try opened(record.document, of: ProviderKey(tenant: tenant, providerID: id)))
    } catch {
      Log.error("a provider is changed without its secrets", ["tenant": tenant, "provider": id, "error": "\(error)"])
      return record.with(document: Provider.shown(record.document))
    }
  }

  private static let providerByID = Statement(
    "provider",
    """
    SELECT
      provider_id, \(providerDocument), created_by, rfc3339(created_at), rfc3339(updated_at),
      CASE WHEN NOT enabled THEN health.gone_reason END
    FROM alert_providers
    LEFT JOIN alert_provider_health AS health USING (tenant_id, provider_id)
    WHERE tenant_id = $1 AND provider_id = $2
    """)

  /// A page of the tenant's providers, oldest first, their secrets masked.
  package func providers(tenant: String, page: Page) throws(PostgresError) -> Listing<Record> {
    let rows = try read(Self.providersByPage, .text(tenant), .int(page.size), .int(page.offset))
    return Listing(rows: rows) {
      Self.masked(Record(row: $0, from: 1, tenant: tenant), disabledReason: $0.textOrNil(6))
    }
  }

  private static let providersByPage = Statement(
    "providers",
    """
    SELECT
      total, provider_id, \(providerDocument), created_by, rfc3339(created_at), rfc3339(updated_at),
      CASE WHEN NOT enabled THEN gone_reason END
    FROM (SELECT count(*) AS total FROM alert_providers WHERE tenant_id = $1) AS whole
    LEFT JOIN (
      SELECT alert_providers.*, health.gone_reason
      FROM alert_providers
      LEFT JOIN alert_provider_health AS health USING (tenant_id, provider_id)
      WHERE tenant_id = $1
      ORDER BY created_at, provider_id
      LIMIT $2
      OFFSET $3
    ) AS page ON true
    ORDER BY created_at, provider_id
    """)

  /// Stores a new provider under an id.
  package func createProvider(
    tenant: String, id: String, _ provider: Provider, by creator: String
  ) throws -> Saving {
    try insertProvider(columns(tenant, id, provider) + [.text(creator)], tenant: tenant)
  }

  private func insertProvider(_ columns: [Parameter], tenant: String) throws(PostgresError) -> Saving {
    do {
      let rows = try change(Self.providerCreation, columns)
      let record = rows.first.map { Self.masked(Record(row: $0, tenant: tenant)) }
      return record.map { .saved($0) } ?? .full(limit: TenantLimit.providers)
    } catch  where error.isUniqueViolation {
      return .taken
    }
  }

  private static let providerCreation = Statement(
    "create_provider",
    """
    INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
    SELECT $1, $2, $3, $4, $5, $6, $7
    WHERE \(TenantLimit.room(in: "alert_providers", limit: TenantLimit.providers))
    RETURNING provider_id, \(providerDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    """)

  /// Changes a provider: `change` makes the new one of the stored document, secrets included, and is called again where somebody
  /// else changed the provider in between.
  package func changeProvider<Failure: Error>(
    tenant: String, id: String, _ change: (JSONObject) throws(Failure) -> Provider
  ) throws -> Saving {
    while let stored = try storedProvider(tenant: tenant, id: id) {
      let changed = try change(stored.document)
      let rows = try self.change(
        Self.providerChange, columns(tenant, id, changed) + [.text(stored.updatedAt)])
      if let row = rows.first { return .saved(Self.masked(Record(row: row, tenant: tenant))) }
    }
    return .absent
  }

  private static let providerChange = Statement(
    "change_provider",
    """
    WITH changed AS (
      UPDATE alert_providers
      SET
        name = $3, provider_type = $4, enabled = $5, config = $6,
        updated_at = greatest(now(), updated_at + interval '1 microsecond')
      WHERE tenant_id = $1 AND provider_id = $2 AND rfc3339(updated_at) = $7
      RETURNING *
    ),
    -- What was found of the receiver is not known of the changed one; what was reported of it stays until one succeeds.
    forgotten AS (
      UPDATE alert_provider_health AS health
      SET \(nothingKnown), earlier_reports = array_remove(health.earlier_reports || health.report_alert_id, NULL)
      FROM changed
      WHERE health.tenant_id = changed.tenant_id AND health.provider_id = changed.provider_id
    )
    SELECT provider_id, \(providerDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM changed
    """)

  /// Deletes a provider that no policy names.
  package func deleteProvider(tenant: String, id: String) throws(PostgresError) -> Deletion {
    Deletion(rows: try change(Self.providerDeletion, .text(tenant), .text(id)))
  }

  private static let providerDeletion = Statement(
    "delete_provider",
    """
    WITH used AS (
      SELECT ARRAY(
        SELECT policy_id
        FROM alert_policies
        WHERE tenant_id = $1 AND $2 = ANY (provider_ids)
        ORDER BY policy_id
      ) AS policy_ids
    ),
    deleted AS (
      DELETE FROM alert_providers
      USING used
      WHERE tenant_id = $1 AND provider_id = $2 AND used.policy_ids = '{}'
      RETURNING tenant_id, provider_id
    ),
    -- Nothing more is to be said of it.
    forgotten AS (
      UPDATE alert_provider_health AS health
      SET \(nothingKnown), earlier_reports = '{}', ended_reports = \(allReports)
      FROM deleted
      WHERE health.tenant_id = deleted.tenant_id AND health.provider_id = deleted.provider_id
    )
    SELECT used.policy_ids, EXISTS (SELECT FROM deleted)
    FROM used
    """)

  /// What has a provider's health say nothing about its receiver.
  private static let nothingKnown = """
    failures = 0, failing_since = NULL, open_until = NULL, report_alert_id = NULL, paced_until = NULL, gone_reason = NULL
    """

  /// The document of a provider, secrets included. json keeps the config to the letter.
  private static let providerDocument = """
    json_build_object('name', name, 'provider_type', provider_type, 'enabled', enabled, 'config', config)
    """

  private func columns(_ tenant: String, _ id: String, _ provider: Provider) throws -> [Parameter] {
    let document = try sealed(provider.document, of: ProviderKey(tenant: tenant, providerID: id))
    return [
      .text(tenant), .text(id), .text(provider.name), .text(document["provider_type"]?.string),
      .bool(provider.isEnabled), .json((document["config"] ?? .null).json),
    ]
  }

  /// No record of a provider leaves the store with a secret in it. One that was switched off by its receiver's word says why.
  private static func masked(_ record: Record, disabledReason: String? = nil) -> Record {
    var shown = Provider.shown(record.document)
    if let disabledReason { shown["disabled_reason"] = .string(disabledReason) }
    return record.with(document: shown)
  }
}
