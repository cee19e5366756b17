-- Events that came in while the database was away are decided later, as of the moment they came in.

CREATE FUNCTION moment_of(microseconds bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN least(timestamptz 'epoch' + microseconds * interval '1 microsecond', now());
COMMENT ON FUNCTION moment_of IS
  'A moment in microseconds since 1970, but none that is still to come; the present for NULL.';

CREATE TABLE alert_spool_replays (
  tenant_id text NOT NULL REFERENCES tenants,
  segment text NOT NULL,
  replayed_to bigint NOT NULL,
  replayed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, segment)
);
COMMENT ON TABLE alert_spool_replays IS
  'How far each segment of a host''s spool has been replayed for each tenant, written together with the effects. A row goes when
its segment has.';
COMMENT ON COLUMN alert_spool_replays.replayed_to IS
  'Where in the segment the tenant''s next record may begin, in bytes: its records before that have had their effects.';
CREATE INDEX alert_spool_replays_segment ON alert_spool_replays (segment);

-- The job that replays is awaited like the others.
INSERT INTO alert_job_runs (job, host)
VALUES ('replay', '');
