#include <libpq-fe.h>

// The fields of an error, which are character constants in libpq's header and so not imported.
static const int CPQ_SQLSTATE = PG_DIAG_SQLSTATE;
static const int CPQ_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
static const int CPQ_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME;
