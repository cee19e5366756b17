-- A worker process admits what several requests brought in one statement, and leaves a mark for each.

COMMENT ON TABLE alert_admission_marks IS
'The latest admission of each producer for each tenant, written together with its effects; a worker process is a producer for each of
the requests that it admits together. One that does not know whether an admission took effect makes no other under its name: the
mark stays for whoever admits the events later.';
