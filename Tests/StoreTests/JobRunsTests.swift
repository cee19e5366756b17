import Postgres
import Store
import TestSupport
import Testing

@Suite("When each job last ran") struct JobRunsTests {
  let database: TestDatabase

  init() throws { database = try TestDatabase() }

  @Test("A job that was never set up is awaited from the migration on")
  func awaited() throws {
    try database.run("UPDATE alert_job_runs SET ran_at = now() - interval '181 seconds'")
    let runs = try database.store().latestRuns()
    #expect(runs.map(\.job) == ["check-storage", "deliver", "replay"])
    #expect(runs.allSatisfy { $0.isOverdue })
  }

  @Test("A run is noted once per host, and the latest counts, on whatever host it was")
  func runs() throws {
    let store = database.store()
    for host in ["a", "b", "a"] { try store.noteRun(of: "deliver", on: host) }
    try database.run("UPDATE alert_job_runs SET ran_at = now() - interval '300 seconds' WHERE host = 'a'")
    let runs = try store.jobRuns().filter { $0.job == "deliver" }
    #expect(runs.map(\.host) == ["a", "b"])
    #expect((300...310).contains(runs[0].age))
    let latest = try #require(try store.latestRuns().first { $0.job == "deliver" })
    #expect(latest.ranAt == runs[1].ranAt && !latest.isOverdue)
  }

  @Test("A host that has not run a job for a week is forgotten, but never the last one")
  func forgotten() throws {
    let store = database.store()
    for host in ["a", "b"] { try store.noteRun(of: "deliver", on: host) }
    try database.run("UPDATE alert_job_runs SET ran_at = now() - interval '8 days' WHERE job = 'deliver'")
    #expect(try store.latestRuns().first { $0.job == "deliver" }?.isOverdue == true)
    try store.noteRun(of: "deliver", on: "b")
    #expect(try store.jobRuns().filter { $0.job == "deliver" }.map(\.host) == ["b"])
  }

  @Test("A probe writes the run of its host and reads it back")
  func probe() throws {
    #expect(try database.store().probe(from: "a", token: "one"))
    #expect(try database.texts("SELECT token FROM alert_job_runs WHERE host = 'a'") == ["one"])
    try database.store().noteWarnings(["the disk is full"], of: "check-storage", on: "a")
    #expect(try database.store().probe(from: "a", token: "two"))
    #expect(try database.store().jobRuns().first?.warnings == ["the disk is full"])
  }

  @Test("A row that somebody else has changed in between is not what was written")
  func readBack() throws {
    try database.run(
      """
      CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.token = NULL; RETURN NEW; END';
      CREATE TRIGGER lose BEFORE UPDATE ON alert_job_runs FOR EACH ROW EXECUTE FUNCTION lose();
      """)
    #expect(try !database.store().probe(from: "a", token: "one"))
  }

  @Test("What waits for a receiver that is down, or is being attempted, is not late")
  func delay() throws {
    try database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('acme');
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES ('acme', 'hook', 'hook', 'webhook', true, '{}', 'test');
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at, created_at)
      VALUES
        ('acme', 'hook', 'test', 'pending', now() - interval '90 seconds', now() - interval '1 hour'),
        ('acme', 'hook', 'test', 'pending', now() + interval '90 seconds', now() - interval '2 hours');
      """)
    #expect((90...100).contains(try database.store().storageSight().deliveryDelaySeconds))
    try database.run(
      """
      INSERT INTO alert_provider_health (tenant_id, provider_id, open_until)
      VALUES ('acme', 'hook', now() + interval '1 minute')
      """)
    #expect(try database.store().storageSight().deliveryDelaySeconds == 0)
    try database.run("UPDATE alert_provider_health SET open_until = now()")
    #expect(try database.store().storageSight().deliveryDelaySeconds >= 90)
    // Somebody has it tried afresh: it is due at the epoch, which is no time that it has waited since.
    try database.run("UPDATE alert_deliveries SET next_attempt_at = 'epoch', retried_at = now() - interval '5 seconds'")
    #expect((5...15).contains(try database.store().storageSight().deliveryDelaySeconds))
  }
}
