# A private PostgreSQL cluster: a unix socket and no port. Sourced by deploy/run and deploy/test.

# PostgreSQL refuses to run as root: then it runs as the account that Debian's package made for it.
if ((EUID == 0)); then
  as_postgres=(runuser -u postgres --)
else
  as_postgres=()
fi

# Debian keeps the server's programs off the PATH, in a directory per version; the newest is taken.
find_postgres() {
  local directories=(/usr/lib/postgresql/*/bin)
  [[ -x ${directories[-1]}/initdb ]] || fail "PostgreSQL's programs are not under /usr/lib/postgresql"
  postgres_programs=$(printf '%s\n' "${directories[@]}" | sort -V | tail -n 1)
}

# Runs one of PostgreSQL's programs as the account that owns the cluster. From / because that account may not be
# allowed into the current directory.
postgres() {
  local program=$1
  shift
  (cd / && "${as_postgres[@]}" "$postgres_programs/$program" "$@")
}
