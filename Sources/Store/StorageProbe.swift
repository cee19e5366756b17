import Postgres

/// What the storage looks like from within, beside whether it is usable.
package struct StorageSight: Sendable, Equatable {
  /// A replica, or who archives the log.
  package struct Replica: Sendable, Equatable {
    /// What it is called.
    package let name: String
    /// How many seconds it is behind; nil where that is not known, for it is new, idle or hidden from the role.
    package let lagSeconds: Int?
  }

  /// The replicas that are connected.
  package let replicas: [Replica]
  /// The replication slots that nobody uses: the server keeps all that is written for them, until its disk is full.
  package let idleSlots: [String]
  /// How many seconds the delivery that is due for longest has been due; 0 where none is.
  package let deliveryDelaySeconds: Int
  /// The folder of the database, if the server runs on this machine and lets the role know; nil if not.
  package let dataDirectory: String?
}

extension Store {
  /// Writes a row, commits and reads it back; the row is the run of `check-storage` on a host. Use a store for one probe alone,
  /// so that it connects for it.
  ///
  /// A full disk may have room for the row, which takes the place of the last one, while all that grows fails. So the server is
  /// also made to write 700 kB to a temporary file, in a few long rows, which costs it 2 ms and no WAL (measured).
  ///
  /// - Parameters:
  ///   - host: The host's name.
  ///   - token: What to write.
  /// - Returns: Whether it was there to be read.
  /// - Throws: If the server cannot be reached, or does not write.
  package func probe(from host: String, token: String) throws -> Bool {
    try connected().transaction {
      try write(Self.smallMemory)
      try write(Self.spill)
      try noteRun(of: "check-storage", on: host)
      try write(Self.tokenNote, .text(host), .text(token))
    }
    return try read(Self.token, .text(host)).first?.textOrNil(0) == token
  }

  private static let smallMemory = Statement("probe_with_small_memory", "SELECT set_config('work_mem', '64kB', true)")

  private static let spill = Statement(
    "probe_disk", "SELECT count(*) FROM unnest(array_fill(repeat(' ', 8000), '{90}'))")

  private static let tokenNote = Statement(
    "probe_write",
    """
    UPDATE alert_job_runs
    SET token = $2
    WHERE job = 'check-storage' AND host = $1
    """)

  private static let token = Statement(
    "probe_read",
    """
    SELECT token
    FROM alert_job_runs
    WHERE job = 'check-storage' AND host = $1
    """)

  /// Looks at the storage from within. Replicas and the folder are shown to a login that is a member of `pg_monitor`.
  package func storageSight() throws(PostgresError) -> StorageSight {
    let replicas = try readAsLogin(Self.replicas).map {
      StorageSight.Replica(name: $0.text(0), lagSeconds: $0.intOrNil(1))
    }
    let slots = try read(Self.idleSlots).map { $0.text(0) }
    let delay = try read(Self.deliveryDelay).first?.int(0) ?? 0
    let folder = try readAsLogin(Self.dataDirectory).first?.textOrNil(0)
    return StorageSight(replicas: replicas, idleSlots: slots, deliveryDelaySeconds: delay, dataDirectory: folder)
  }

  /// Who archives the log, like `pg_receivewal`, replays nothing and has no `replay_lsn`; its `replay_lag` grows without end.
  private static let replicas = Statement(
    "replicas",
    """
    SELECT
      coalesce(nullif(application_name, ''), host(client_addr), 'without a name'),
      extract(epoch FROM CASE WHEN replay_lsn IS NULL THEN write_lag ELSE replay_lag END)::bigint
    FROM pg_stat_replication
    ORDER BY 1
    """)

  private static let idleSlots = Statement(
    "idle_replication_slots",
    """
    SELECT slot_name::text
    FROM pg_replication_slots
    WHERE NOT active AND NOT temporary
    ORDER BY 1
    """)

  /// Of each provider the one delivery that has been due for longest. What waits for a receiver that is down or wants to be left
  /// alone is rightly not made, and what is being attempted is not late.
  private static let deliveryDelay = Statement(
    "delivery_delay",
    """
    SELECT coalesce(extract(epoch FROM now() - min(first.due_at))::bigint, 0)
    FROM alert_providers AS provider
    LEFT JOIN alert_provider_health AS health USING (tenant_id, provider_id)
    CROSS JOIN LATERAL (
      SELECT greatest(delivery.next_attempt_at, delivery.created_at, delivery.retried_at) AS due_at
      FROM alert_deliveries AS delivery
      WHERE delivery.provider_id = provider.provider_id
        AND delivery.tenant_id = provider.tenant_id
        AND delivery.state = 'pending'
        AND delivery.next_attempt_at <= now()
        AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
      ORDER BY delivery.next_attempt_at
      LIMIT 1
    ) AS first
    WHERE provider.enabled
      AND (health.open_until IS NULL OR health.open_until <= now())
      AND (health.paced_until IS NULL OR health.paced_until <= now())
    """)

  private static let dataDirectory = Statement(
    "data_directory",
    """
    SELECT
      CASE
        WHEN inet_server_addr() IS NULL AND pg_has_role('pg_read_all_settings', 'USAGE')
        THEN current_setting('data_directory')
      END
    """)
}
