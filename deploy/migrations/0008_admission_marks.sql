-- Whether an admission took effect of which the answer was lost can be found out by the mark that it leaves.

CREATE TABLE alert_admission_marks (
  tenant_id text NOT NULL REFERENCES tenants,
  producer uuid NOT NULL,
  sequence bigint NOT NULL,
  marked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, producer)
) WITH (fillfactor = 50);
COMMENT ON TABLE alert_admission_marks IS
  'The latest admission of each worker process for each tenant, written together with its effects. A producer that does not know
whether an admission took effect makes no other under its name: the mark stays for whoever admits the events later.';
COMMENT ON COLUMN alert_admission_marks.sequence IS
  'The number of the admission among those of its producer. It only grows: one that comes late finds a greater one and fails.';
