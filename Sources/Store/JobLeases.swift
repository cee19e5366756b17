import Postgres

extension Store {
  /// Takes hold of what one process at a time does, or keeps hold of it, for so many seconds from now; tells whether it has it.
  package func takeLease(of job: String, for holder: String, seconds: Int) throws(PostgresError) -> Bool {
    try !write(Self.leasing, .text(job), .text(holder), .int(seconds)).isEmpty
  }

  private static let leasing = Statement(
    "take_job_lease",
    """
    INSERT INTO job_leases AS lease (job, holder, leased_until)
    VALUES ($1, $2, now() + $3 * interval '1 second')
    ON CONFLICT (job) DO UPDATE
    SET holder = excluded.holder, leased_until = excluded.leased_until
    WHERE lease.holder = $2 OR lease.leased_until <= now()
    RETURNING job
    """)

  /// Lets go of it, so that another one can take it at once.
  package func endLease(of job: String, for holder: String) throws(PostgresError) {
    try write(Self.leaseEnd, .text(job), .text(holder))
  }

  private static let leaseEnd = Statement(
    "end_job_lease",
    """
    DELETE FROM job_leases
    WHERE job = $1 AND holder = $2
    """)
}
