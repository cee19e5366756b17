# What a person at the terminal sees. Sourced first by every script in deploy/.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# One clear sentence, and the end.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

require_toolchain() {
  command -v swift >/dev/null ||
    fail "no Swift toolchain: install Swift 6.2 or later (https://swift.org/install) and put swift on the PATH"
}
