#include "CRE2.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

static RE2::Options options(bool case_sensitive, int64_t memory_limit) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(case_sensitive);
  options.set_max_mem(memory_limit);
  return options;
}

struct cre2_pattern {
  cre2_pattern(re2::StringPiece text, const RE2::Options &options) : text(text), options(options) {}

  const RE2 &regex() const {
    std::call_once(once, [this] { compiled.reset(new RE2(text, options)); });
    return *compiled;
  }

 private:
  const std::string text;
  const RE2::Options options;
  mutable std::once_flag once;
  mutable std::unique_ptr<RE2> compiled;
};

// The product of all the numbers behind a brace: no part of the pattern is repeated more often, however repeats are nested.
static size_t most_repeats(re2::StringPiece pattern) {
  size_t product = 1, number = 0;
  bool counts = false;
  for (char c : pattern) {
    if (counts && std::isdigit(static_cast<unsigned char>(c))) {
      number = std::min<size_t>(number * 10 + static_cast<size_t>(c - '0'), 1000);
      continue;
    }
    product *= std::clamp<size_t>(number, 1, 1000);
    if (product > 1000) return product;
    number = 0;
    counts = c == '{' || (counts && c == ',');
  }
  return product;
}

// What RE2 can parse it can compile, unless that takes more memory than it may: two thirds of it are the forward program's (re2.h).
// Measured with libre2 20220601, without classes of Unicode and before repeats, \W is the largest where case is ignored: 3,968 bytes
// of it compile in 1 MiB, in proportion with more. Below, 1,170 bytes are taken to fit, so the margin is threefold.
static bool surely_compiles(re2::StringPiece pattern, const RE2::Options &options) {
  if (pattern.find("\\p") != re2::StringPiece::npos || pattern.find("\\P") != re2::StringPiece::npos) return false;
  if (pattern.size() * 14 * most_repeats(pattern) > static_cast<size_t>(options.max_mem()) / 4 / 16) return false;
  return RE2::Set(options, RE2::UNANCHORED).Add(pattern, nullptr) >= 0;
}

static void write_reason(const char *message, char *reason, size_t capacity) noexcept {
  if (capacity == 0) return;
  size_t length = std::min(std::strlen(message), capacity - 1);
  std::memcpy(reason, message, length);
  reason[length] = '\0';
}

cre2_pattern *cre2_make(const char *pattern, size_t length, bool case_sensitive, int64_t memory_limit, char *reason,
                        size_t reason_capacity) {
  try {
    re2::StringPiece text(pattern, length);
    std::unique_ptr<cre2_pattern> made(new cre2_pattern(text, options(case_sensitive, memory_limit)));
    if (surely_compiles(text, options(case_sensitive, memory_limit)) || made->regex().ok()) return made.release();
    write_reason(made->regex().error().c_str(), reason, reason_capacity);
  } catch (const std::exception &error) {
    write_reason(error.what(), reason, reason_capacity);
  } catch (...) {
    write_reason("unknown error", reason, reason_capacity);
  }
  return nullptr;
}

// Only a lack of memory could throw here. There is no answer to give then, so the process ends, as it does in Swift. So it does
// if a pattern that was taken does not compile after all: to say that it matches nothing would be a lie.
static bool search(const cre2_pattern &pattern, re2::StringPiece text) noexcept {
  const RE2 &regex = pattern.regex();
  if (!regex.ok()) {
    std::fprintf(stderr, "a pattern that was taken cannot be compiled: %s\n", regex.error().c_str());
    std::abort();
  }
  return regex.Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool cre2_search(const cre2_pattern *pattern, const char *text, size_t length) {
  return search(*pattern, re2::StringPiece(text, length));
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

struct cre2_set {
  RE2::Set patterns;
};

cre2_set *cre2_set_make(int64_t memory_limit) {
  try {
    return new cre2_set{RE2::Set(options(true, memory_limit), RE2::UNANCHORED)};
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
