#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RE2 (https://github.com/google/re2) for callers that speak C. Texts are UTF-8 with a length, so they may contain NUL.
// No function lets a C++ exception out.

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern. It does not change once it is made, so threads may share it.
typedef struct cre2_pattern cre2_pattern;

/// Compiles a pattern in RE2's default syntax. `memory_limit` bounds, in bytes, what the compiled pattern and its state
/// machines may take. Returns NULL for a pattern that RE2 refuses and writes its reason, NUL-terminated and cut to
/// `reason_capacity`, to `reason`.
cre2_pattern *cre2_compile(const char *pattern, size_t length, bool case_sensitive, int64_t memory_limit, char *reason,
                           size_t reason_capacity);

/// Whether the pattern matches anywhere in the text; time is linear in the length of the text.
bool cre2_search(const cre2_pattern *pattern, const char *text, size_t length);

/// Frees a compiled pattern.
void cre2_free(cre2_pattern *pattern);

#ifdef __cplusplus
}
#endif
