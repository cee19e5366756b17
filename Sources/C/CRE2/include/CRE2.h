#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RE2 (https://github.com/google/re2) for callers that speak C. Texts are UTF-8 with a length, so they may contain NUL.
// No function lets a C++ exception out.

#ifdef __cplusplus
extern "C" {
#endif

/// A pattern. It is compiled when it is first searched for, which threads may do at once.
typedef struct cre2_pattern cre2_pattern;

/// Makes a pattern in RE2's default syntax. `memory_limit` bounds, in bytes, what the compiled pattern and its state machines
/// may take. Returns NULL for a pattern that RE2 refuses and writes its reason, NUL-terminated and cut to `reason_capacity`, to
/// `reason`.
cre2_pattern *cre2_make(const char *pattern, size_t length, bool case_sensitive, int64_t memory_limit, char *reason,
                        size_t reason_capacity);

/// Whether the pattern matches anywhere in the text; time is linear in the length of the text.
bool cre2_search(const cre2_pattern *pattern, const char *text, size_t length);

/// Frees a pattern.
void cre2_free(cre2_pattern *pattern);

/// Patterns that are searched for together.
typedef struct cre2_set cre2_set;

/// Makes an empty set, or returns NULL for want of memory. `memory_limit` is as for a single pattern.
cre2_set *cre2_set_make(int64_t memory_limit);

/// Adds a pattern; they are numbered from 0. Returns whether it could be added.
bool cre2_set_add(cre2_set *set, const char *pattern, size_t length);

/// Makes a set ready, after the last pattern. Returns false if the memory limit is too low for it.
bool cre2_set_compile(cre2_set *set);

/// Searches a text for all patterns, in time linear in its length, and writes the numbers of those that match to `found`,
/// which has room for all of the set. Returns how many there are, or -1 if the memory limit is too low for the text.
int64_t cre2_set_search(const cre2_set *set, const char *text, size_t length, int32_t *found);

/// Frees a set.
void cre2_set_free(cre2_set *set);

#ifdef __cplusplus
}
#endif
