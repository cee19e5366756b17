#ifndef CQUOTES_H
#define CQUOTES_H

#include <stddef.h>
#include <stdint.h>

/// Set in an offset where the string that ends there has a backslash, a control character or a byte that is not ASCII.
#define CQUOTES_ODD 0x80000000U

/// How many more offsets there must be room for than strings, which are at most half as many as bytes.
#define CQUOTES_SPARE 8

/// Finds where the strings of a JSON text of less than 2 GiB end: of the quotes that no backslash escapes, each second one.
///
/// Writes the offset of each, ascending, the highest bit being CQUOTES_ODD, and behind the last one the length of the text
/// with that bit. There must be room for `count / 2 + CQUOTES_SPARE` of them; some may be written past the last. Nothing is
/// judged: of a text that is no JSON the quotes are found too.
void cquotes_find(const uint8_t *text, size_t count, uint32_t *offsets);

#endif
