import Postgres

/// When a job last ran on a host.
package struct JobRun: Sendable, Equatable {
  /// The job's name, that of its program.
  package let job: String
  /// The host's name; empty where no host has run it yet.
  package let host: String
  /// When it ran, RFC 3339 in UTC.
  package let ranAt: String
  /// How many seconds ago that was, by the database's clock.
  package let age: Int
  /// What it found worth a warning.
  package let warnings: [String]

  /// After how many seconds without a run, on whatever host, a job is missed: cron starts each of them each minute.
  package static let patienceSeconds = 180
}

/// A job at its most recent run, on whatever host that was.
package struct LatestRun: Sendable, Equatable {
  /// The job's name.
  package let job: String
  /// When it ran, RFC 3339 in UTC.
  package let ranAt: String
  /// How many seconds ago that was, by the database's clock.
  package let age: Int

  /// Whether it has not run for too long.
  package var isOverdue: Bool { age > JobRun.patienceSeconds }
}

extension Store {
  /// Takes note that a job runs on a host, now. Hosts that have not run it for a week are forgotten.
  package func noteRun(of job: String, on host: String) throws(PostgresError) {
    try write(Self.runNote, .text(job), .text(host))
  }

  private static let runNote = Statement(
    "note_job_run",
    """
    WITH forgotten AS (
      DELETE FROM alert_job_runs
      WHERE job = $1
        AND host <> $2
        AND (host = '' OR ran_at < now() - interval '7 days')
    )

    INSERT INTO alert_job_runs (job, host)
    VALUES ($1, $2)
    ON CONFLICT (job, host) DO UPDATE
    SET ran_at = now()
    """)

  /// Keeps what a job on a host finds worth a warning, for people to see.
  package func noteWarnings(_ warnings: [String], of job: String, on host: String) throws(PostgresError) {
    try write(Self.warningNote, .text(job), .text(host), .texts(warnings as [String]?))
  }

  private static let warningNote = Statement(
    "note_job_warnings",
    """
    UPDATE alert_job_runs
    SET warnings = $3
    WHERE job = $1 AND host = $2 AND warnings <> $3
    """)

  /// Has a job not missed on a host any more.
  package func forgetRuns(of job: String, on host: String) throws(PostgresError) {
    try write(Self.forgetting, .text(job), .text(host))
  }

  private static let forgetting = Statement(
    "forget_job_runs",
    """
    DELETE FROM alert_job_runs
    WHERE job = $1 AND host = $2
    """)

  /// Every job with its most recent run, by name. Throws if the database has not been migrated.
  package func latestRuns() throws(PostgresError) -> [LatestRun] {
    try read(Self.latestRunsStatement).map { LatestRun(job: $0.text(0), ranAt: $0.text(1), age: $0.int(2)) }
  }

  private static let latestRunsStatement = Statement(
    "latest_job_runs",
    """
    SELECT job, rfc3339(max(ran_at)), extract(epoch FROM now() - max(ran_at))::bigint
    FROM alert_job_runs
    GROUP BY job
    ORDER BY job
    """)

  /// Every run that is known, by job and host.
  package func jobRuns() throws(PostgresError) -> [JobRun] {
    try read(Self.runs).map { row in
      JobRun(job: row.text(0), host: row.text(1), ranAt: row.text(2), age: row.int(3), warnings: row.texts(4))
    }
  }

  private static let runs = Statement(
    "job_runs",
    """
    SELECT job, host, rfc3339(ran_at), extract(epoch FROM now() - ran_at)::bigint, warnings
    FROM alert_job_runs
    ORDER BY job, host
    """)
}
