#include "CRE2.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

struct cre2_pattern {
  RE2 regex;
};

static void write_reason(const char *message, char *reason, size_t capacity) noexcept {
  if (capacity == 0) return;
  size_t length = std::min(std::strlen(message), capacity - 1);
  std::memcpy(reason, message, length);
  reason[length] = '\0';
}

cre2_pattern *cre2_compile(const char *pattern, size_t length, bool case_sensitive, int64_t memory_limit, char *reason,
                           size_t reason_capacity) {
  try {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(case_sensitive);
    options.set_max_mem(memory_limit);
    std::unique_ptr<cre2_pattern> compiled(new cre2_pattern{RE2(re2::StringPiece(pattern, length), options)});
    if (compiled->regex.ok()) return compiled.release();
    write_reason(compiled->regex.error().c_str(), reason, reason_capacity);
  } catch (const std::exception &error) {
    write_reason(error.what(), reason, reason_capacity);
  } catch (...) {
    write_reason("unknown error", reason, reason_capacity);
  }
  return nullptr;
}

// Only a lack of memory could throw here. There is no answer to give then, so the process ends, as it does in Swift.
static bool search(const RE2 &regex, re2::StringPiece text) noexcept {
  return regex.Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool cre2_search(const cre2_pattern *pattern, const char *text, size_t length) {
  return search(pattern->regex, re2::StringPiece(text, length));
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

struct cre2_set {
  RE2::Set patterns;
};

cre2_set *cre2_set_make(int64_t memory_limit) {
  try {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory_limit);
    return new cre2_set{RE2::Set(options, RE2::UNANCHORED)};
  } catch (...) {
    return nullptr;
  }
}

bool cre2_set_add(cre2_set *set, const char *pattern, size_t length) {
  try {
    return set->patterns.Add(re2::StringPiece(pattern, length), nullptr) >= 0;
  } catch (...) {
    return false;
  }
}

bool cre2_set_compile(cre2_set *set) {
  try {
    return set->patterns.Compile();
  } catch (...) {
    return false;
  }
}

int64_t cre2_set_search(const cre2_set *set, const char *text, size_t length, int32_t *found) {
  try {
    RE2::Set::ErrorInfo error;
    // To ask whether any pattern matches allocates nothing.
    bool matches = set->patterns.Match(re2::StringPiece(text, length), nullptr, &error);
    if (!matches) return error.kind == RE2::Set::kNoError ? 0 : -1;
    std::vector<int> numbers;
    matches = set->patterns.Match(re2::StringPiece(text, length), &numbers, &error);
    if (!matches) return -1;
    std::copy(numbers.begin(), numbers.end(), found);
    return static_cast<int64_t>(numbers.size());
  } catch (...) {
    return -1;
  }
}

void cre2_set_free(cre2_set *set) { delete set; }
