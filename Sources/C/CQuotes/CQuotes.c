#include "CQuotes.h"

#include <string.h>

// Each block of 64 bytes is compared as one vector, and the results become one bit for each byte, the lowest for the first.
// The compiler makes of it what the processor has: the attribute has it do so for several generations of processors, and the
// dynamic linker chooses when the program starts.
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

enum { BLOCK = 64, AT_ONCE = 4 };

typedef signed char bytes_t __attribute__((vector_size(BLOCK)));
typedef _Bool bits_t __attribute__((ext_vector_type(BLOCK)));

// What is known of the string, if any, in which a block ends.
typedef struct {
  // All bits are set inside of a string.
  uint64_t is_inside;
  // 1 where the next byte is escaped.
  uint64_t is_escaped;
  // 1 where the string has had an odd byte.
  uint64_t is_odd;
} state_t;

// One bit for each byte of a comparison's result.
INLINE uint64_t bits_of(const bytes_t *places) {
  bits_t bits = __builtin_convertvector(*places, bits_t);
  uint64_t word;
  memcpy(&word, &bits, sizeof word);
  return word;
}

INLINE uint64_t places_of(char byte, const bytes_t *bytes) {
  bytes_t places = *bytes == byte;
  return bits_of(&places);
}

// As signed numbers, control characters and what is not ASCII are below the space.
INLINE uint64_t places_below_space(const bytes_t *bytes) {
  bytes_t places = *bytes < ' ';
  return bits_of(&places);
}

// The bytes that a backslash escapes: a backslash that is not escaped escapes the next byte.
INLINE uint64_t escaped_by(uint64_t backslashes, state_t *state) {
  uint64_t escaped = state->is_escaped;
  uint64_t escaping = backslashes & ~escaped;
  state->is_escaped = 0;
  while (escaping) {
    uint64_t first = escaping & -escaping;
    state->is_escaped = first >> 63;
    escaped |= first << 1;
    escaping &= ~(first | first << 1);
  }
  return escaped;
}

// Each bit becomes whether it and those below it are an odd number.
INLINE uint64_t parities(uint64_t bits) {
  for (int distance = 1; distance < BLOCK; distance *= 2) bits ^= bits << distance;
  return bits;
}

// Finds the closing quotes among the bytes of a block but for the first `known` ones, which stand before `offset`.
INLINE uint32_t *find_in_block(const uint8_t *block, unsigned known, size_t offset, state_t *state, uint32_t *offsets) {
  bytes_t bytes;
  memcpy(&bytes, block, BLOCK);
  uint64_t quotes = places_of('"', &bytes) >> known;
  uint64_t backslashes = places_of('\\', &bytes) >> known;
  uint64_t odd = backslashes | places_below_space(&bytes) >> known;
  if (backslashes | state->is_escaped) quotes &= ~escaped_by(backslashes, state);

  // From each opening quote up to the byte before the closing one.
  uint64_t inside = parities(quotes) ^ state->is_inside;
  state->is_inside = -(inside >> 63);
  // A string is a row of ones here. Adding one or more of them to the row carries into the place behind: the closing quote.
  unsigned long long carry;
  uint64_t sum = __builtin_addcll(inside, odd & inside, state->is_odd, &carry);
  state->is_odd = carry;

  // A few at once are written whether they are there or not, which spares a branch for each.
  uint64_t closing = quotes & ~inside;
  int count = __builtin_popcountll(closing);
  uint64_t rest = closing;
  for (int written = 0; written < count; written += AT_ONCE) {
    for (int i = written; i < written + AT_ONCE; i++) {
      offsets[i] = (uint32_t)offset + (uint32_t)__builtin_ctzll(rest | UINT64_C(1) << 63);
      rest &= rest - 1;
    }
  }
  for (uint64_t odd_ones = closing & sum; odd_ones; odd_ones &= odd_ones - 1) {
    offsets[__builtin_popcountll(closing & (odd_ones ^ (odd_ones - 1))) - 1] |= CQUOTES_ODD;
  }
  return offsets + count;
}

FOR_EACH_PROCESSOR
void cquotes_find(const uint8_t *text, size_t count, uint32_t *offsets) {
  state_t state = {0, 0, 0};
  size_t offset = 0;
  for (; count - offset >= BLOCK; offset += BLOCK) offsets = find_in_block(text + offset, 0, offset, &state, offsets);
  size_t rest = count - offset;
  if (rest > 0 && offset > 0) {
    // The last 64 bytes of the text, of which the first have been seen.
    offsets = find_in_block(text + count - BLOCK, BLOCK - (unsigned)rest, offset, &state, offsets);
  } else if (rest > 0) {
    uint8_t block[BLOCK];
    memset(block, ' ', BLOCK);
    memcpy(block, text, rest);
    offsets = find_in_block(block, 0, 0, &state, offsets);
  }
  *offsets = (uint32_t)count | CQUOTES_ODD;
}
