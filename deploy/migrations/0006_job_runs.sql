-- When each job last ran, on each host: what GET /health and the storage checker go by.

CREATE TABLE alert_job_runs (
  job text NOT NULL,
  host text NOT NULL,
  ran_at timestamptz NOT NULL DEFAULT now(),
  token text,
  warnings text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (job, host)
) WITH (fillfactor = 50);
COMMENT ON TABLE alert_job_runs IS 'When each job last ran, on each host.';
COMMENT ON COLUMN alert_job_runs.host IS 'Empty: no host has run it yet, and it is awaited since then.';
COMMENT ON COLUMN alert_job_runs.token IS 'What the last probe of the storage wrote, for it to read back.';
COMMENT ON COLUMN alert_job_runs.warnings IS 'What the checker of that host last found worth a warning.';

-- Every job is awaited from here on, so that one that was never set up is missed.
INSERT INTO alert_job_runs (job, host)
VALUES ('deliver', ''), ('check-storage', '');
