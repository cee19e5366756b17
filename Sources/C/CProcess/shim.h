#include <linux/close_range.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;
long syscall(long number, ...);

/* To Swift the variable is anybody's to change at any time. */
static inline char **environment(void) { return environ; }

/* These take a variable number of arguments, which Swift does not import. */
static inline int forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int close_on_start(unsigned first) { return syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC); }
