# A private PostgreSQL cluster: a unix socket and no port. Sourced by deploy/run and deploy/test.

# PostgreSQL refuses to run as root: then it runs as the account that Debian's package made for it.
if ((EUID == 0)); then
  as_postgres=(runuser -u postgres --)
else
  as_postgres=()
fi

# Debian keeps the server's programs off the PATH, in a directory per version. Takes the version given, or the newest.
find_postgres() {
  postgres_programs=/usr/lib/postgresql/${1:-$(ls /usr/lib/postgresql | sort -V | tail -n 1)}/bin
  [[ -x $postgres_programs/initdb ]] || fail "PostgreSQL's programs are not in $postgres_programs"
}

# Runs one of PostgreSQL's programs as the account that owns the cluster. From / because that account may not be
# allowed into the current directory.
postgres() {
  local program=$1
  shift
  (cd / && "${as_postgres[@]}" "$postgres_programs/$program" "$@")
}

# Makes the instance's cluster under $home if there is none. It gets its name when it is whole, so that an interrupted
# attempt leaves nothing that looks like a cluster.
make_cluster() {
  local data=$home/postgres log=$state/logs/initdb.log
  if [[ -f $data/PG_VERSION ]]; then
    find_postgres "$(<"$data/PG_VERSION")"
    name_users "$data"
    return
  fi
  find_postgres
  say "making a PostgreSQL cluster in $data"
  rm -rf "$data.new"
  mkdir -m 700 "$data.new"
  ((EUID != 0)) || chown "$database_user" "$data.new"
  postgres initdb --auth=peer --username=postgres --encoding=UTF8 --locale=C.UTF-8 -D "$data.new" \
    >"$log" 2>&1 || fail "initdb failed: $(tail -n 1 "$log")"
  # Who is who on this machine decides who may connect as whom; there are no passwords.
  echo "local all all peer map=tocsin" >"$data.new/pg_hba.conf"
  name_users "$data.new"
  postgres postgres --single -c exit_on_error=on -D "$data.new" postgres >>"$log" 2>&1 <<<"CREATE ROLE tocsin LOGIN;
GRANT pg_monitor TO tocsin;
CREATE DATABASE tocsin;" || fail "the database could not be made: $(tail -n 1 "$log")"
  mv "$data.new" "$data"
}

# Says who may connect to the cluster in the directory, and as whom: the programs as tocsin alone, who owns nothing there.
name_users() {
  printf 'tocsin %s\n' "$service_user tocsin" "$(id -un) tocsin" "$(id -un) postgres" "$database_user postgres" \
    >"$1/pg_ident.conf"
}

# Migrates the private database as its superuser, to whom everything in it belongs, and lets the programs' user take their roles.
# In a cluster from before there were roles everything belongs to that user.
migrate_own_database() {
  run_as_superuser "REASSIGN OWNED BY tocsin TO postgres"
  ALERTING_DATABASE_URL="postgresql:///tocsin?host=$run/postgres&user=postgres" migrate
  run_as_superuser "GRANT tocsin_programs, tocsin_key_check TO tocsin"
}

run_as_superuser() {
  PGOPTIONS='-c client_min_messages=warning' postgres psql --quiet --set=ON_ERROR_STOP=1 --host="$run/postgres" \
    --username=postgres --dbname=tocsin --command="$1" >&2 || fail "the database's users could not be set up"
}
