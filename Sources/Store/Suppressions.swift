import JSON
import Matching
import Postgres

extension Store {
  /// One suppression; nil if there is none of that id.
  package func suppression(tenant: String, id: String) throws(PostgresError) -> Record? {
    try read(Self.suppressionByID, .text(tenant), .text(id)).first.map { Record(row: $0, tenant: tenant) }
  }

  private static let suppressionByID = Statement(
    "suppression",
    """
    SELECT suppression_id, \(suppressionDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM alert_suppressions
    WHERE tenant_id = $1 AND suppression_id = $2
    """)

  /// A page of the tenant's suppressions, those that end last first.
  package func suppressions(tenant: String, page: Page) throws(PostgresError) -> Listing<Record> {
    let rows = try read(Self.suppressionsByPage, .text(tenant), .int(page.size), .int(page.offset))
    return Listing(rows: rows) { Record(row: $0, from: 1, tenant: tenant) }
  }

  private static let suppressionsByPage = Statement(
    "suppressions",
    """
    SELECT total, suppression_id, \(suppressionDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM (SELECT count(*) AS total FROM alert_suppressions WHERE tenant_id = $1) AS whole
    LEFT JOIN (
      SELECT *
      FROM alert_suppressions
      WHERE tenant_id = $1
      ORDER BY suppressed_until DESC, suppression_id
      LIMIT $2
      OFFSET $3
    ) AS page ON true
    ORDER BY suppressed_until DESC, suppression_id
    """)

  /// Stores a new suppression under an id; without a start it begins now.
  package func createSuppression(
    tenant: String, id: String, _ suppression: Suppression, by creator: String
  ) throws(PostgresError) -> Saving {
    do {
      let rows = try change(
        Self.suppressionCreation, Self.columns(tenant, id, suppression) + [.text(creator)])
      return rows.first.map { .saved(Record(row: $0, tenant: tenant)) } ?? .full(limit: TenantLimit.suppressions)
    } catch  where error.isUniqueViolation {
      return .taken
    } catch  where error.endsBeforeItStarts {
      return .refused(Self.endsTooEarly)
    }
  }

  private static let suppressionCreation = Statement(
    "create_suppression",
    """
    WITH created AS (
      INSERT INTO alert_suppressions (
        tenant_id, suppression_id, document, policy_id, starts_at, suppressed_until, created_by
      )
      SELECT $1, $2, $3, $4, coalesce(\(startsAt), now()), \(suppressedUntil), $7
      WHERE \(room)
      RETURNING *
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM created)
    )
    SELECT suppression_id, \(suppressionDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM created
    """)

  /// Changes a suppression: `change` makes the new one of the stored document, and is called again where somebody else changed
  /// it in between.
  package func changeSuppression<Failure: Error>(
    tenant: String, id: String, _ change: (JSONObject) throws(Failure) -> Suppression
  ) throws -> Saving {
    while let stored = try suppression(tenant: tenant, id: id) {
      let changed = try change(stored.document)
      do {
        let rows = try self.change(
          Self.suppressionChange, Self.columns(tenant, id, changed) + [.text(stored.updatedAt)])
        if let row = rows.first { return .saved(Record(row: row, tenant: tenant)) }
      } catch  where error.endsBeforeItStarts {
        return .refused(Self.endsTooEarly)
      }
      // Nobody else has changed it, so there was no room for one more that is not over.
      if try suppression(tenant: tenant, id: id)?.updatedAt == stored.updatedAt {
        return .full(limit: TenantLimit.suppressions)
      }
    }
    return .absent
  }

  private static let suppressionChange = Statement(
    "change_suppression",
    """
    WITH changed AS (
      UPDATE alert_suppressions
      SET
        document = $3, policy_id = $4, starts_at = coalesce(\(startsAt), starts_at),
        suppressed_until = \(suppressedUntil), updated_at = greatest(now(), updated_at + interval '1 microsecond')
      WHERE tenant_id = $1 AND suppression_id = $2 AND rfc3339(updated_at) = $7
        AND (suppressed_until > now() OR \(suppressedUntil) <= now() OR \(room))
      RETURNING *
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM changed)
    )
    SELECT suppression_id, \(suppressionDocument), created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM changed
    """)

  /// Deletes a suppression, which ends it. False if there is none of that id.
  package func deleteSuppression(tenant: String, id: String) throws(PostgresError) -> Bool {
    try !change(Self.suppressionDeletion, .text(tenant), .text(id)).isEmpty
  }

  private static let suppressionDeletion = Statement(
    "delete_suppression",
    """
    WITH deleted AS (
      DELETE FROM alert_suppressions
      WHERE tenant_id = $1 AND suppression_id = $2
      RETURNING suppression_id
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM deleted)
    )
    SELECT suppression_id
    FROM deleted
    """)

  private static let room = TenantLimit.room(
    in: "alert_suppressions", where: "suppressed_until > now()", limit: TenantLimit.suppressions)

  /// The document, an object, with the times before its closing brace, which live in columns of their own. As text, because
  /// PostgreSQL's -> refuses a document with U+0000 anywhere in it.
  static let suppressionDocument = """
    (
      left(document::text, -1)
      || ',"starts_at":"' || rfc3339(starts_at) || '","suppressed_until":"' || rfc3339(suppressed_until) || '"}'
    )::json
    """

  private static func columns(_ tenant: String, _ id: String, _ suppression: Suppression) -> [Parameter] {
    [
      .text(tenant), .text(id), .json(suppression.document.json), .text(suppression.policyID),
      .int(suppression.startsAt?.microseconds), .int(suppression.suppressedUntil.microseconds),
    ]
  }

  /// `$5` and `$6` as moments. As text PostgreSQL would refuse offsets that RFC 3339 allows. Seconds and microseconds apart:
  /// an interval is multiplied in floating point, which has not the digits for both.
  private static let startsAt = moment("$5")
  private static let suppressedUntil = moment("$6")

  /// A parameter in microseconds since 1970 as a moment.
  static func moment(_ parameter: String) -> String {
    "timestamptz 'epoch' + \(parameter) / 1000000 * interval '1 second' + \(parameter) % 1000000 * interval '1 microsecond'"
  }

  private static let endsTooEarly = JSONFaults(
    pointer: "/suppressed_until", "must be later than starts_at, and than now where there is no starts_at")
}

extension PostgresError {
  fileprivate var endsBeforeItStarts: Bool { refusal?.sqlState == "23514" }
}
