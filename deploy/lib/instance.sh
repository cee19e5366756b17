# One running instance: where its things are, whether it runs, and how it ends. Sourced by deploy/run.
#
#   $state  what the operator named: the key, the generated configuration, the logs
#   $home   what the services' own accounts must reach: postgres/ programs/ nginx/ ; the same place unless it cannot be
#   $run    the unix sockets and process ids; short, because a socket's path may have 107 bytes

if ((EUID == 0)); then
  service_user=www-data
  database_user=postgres
else
  service_user=$(id -un)
  database_user=$service_user
fi

# Sets $state, $home and $run; makes nothing.
locate_instance() {
  state=$(realpath -m -- "$1")
  [[ $state =~ ^[A-Za-z0-9/._+-]+$ ]] ||
    fail "the state directory's path may have letters, digits and / . _ + - only, not \"$state\""
  local digest
  digest=$(sha256sum <<<"$state")
  home=$state
  if [[ -L $state/programs ]]; then
    home=$(dirname "$(readlink "$state/programs")")
  elif ((EUID == 0)) && ! reachable "$state"; then
    home=/var/lib/tocsin/$(basename "$(dirname "$state")")-${digest:0:12}
  fi
  run=$home/run
  ((${#run} <= 70)) || run=/tmp/tocsin-$EUID-${digest:0:12}
  [[ ! -L $run && (! -e $run || -O $run) ]] || fail "$run belongs to somebody else"
}

# Whether the services' accounts can reach the directory, or what there is of it so far. An account that its package has
# yet to make will own nothing there: it reaches what nobody does.
reachable() {
  local directory=$1 account
  until [[ -d $directory ]]; do directory=$(dirname "$directory"); done
  for account in "$service_user" "$database_user"; do
    id "$account" >/dev/null 2>&1 || account=nobody
    (cd / && runuser -u "$account" -- test -x "$directory") || return
  done
}

make_directories() {
  local name
  mkdir -p "$state/logs" "$home"/{programs,nginx}
  chmod 700 "$state/logs"
  if [[ $home != "$state" ]]; then
    say "$state is closed to PostgreSQL's and nginx's accounts: their files go to $home"
    for name in postgres programs nginx state storage.json; do ln -sfn "$home/$name" "$state/$name"; done
  fi
  mkdir -p "$run"
  [[ $run == "$state/run" ]] || ln -sfn "$run" "$state/run"
  mkdir -p "$run/postgres"
  if ((EUID == 0)); then
    # Others may pass through, to sockets whose own owner and mode decide.
    chmod 711 "$run"
    chown "$database_user:$service_user" "$run/postgres"
    chmod 750 "$run/postgres"
  else
    chmod 700 "$run" "$run/postgres"
  fi
}

# One deploy/run at a time works on a state directory. File descriptor 9 holds the lock; no service inherits it.
is_locked=no
lock_instance() {
  [[ $is_locked == no ]] || return 0
  exec 9<"$state"
  flock --nonblock 9 || {
    say "waiting for another deploy/run that works on $state"
    flock 9
  }
  is_locked=yes
}

unlock_instance() {
  exec 9>&-
  is_locked=no
}

# The process id of the instance's supervisor, which is also the session of all that it started.
supervisor_id() {
  local id
  [[ -f $run/supervisord.pid ]] || return 1
  id=$(<"$run/supervisord.pid")
  [[ -r /proc/$id/cmdline ]] && grep -qzF -- "$state/supervisord.conf" "/proc/$id/cmdline" && echo "$id"
}

# Processes of the instance's session. What they run and where they work keeps a session number that the system gave out
# again from being taken for ours.
instance_processes() {
  local session=$1 id program directory
  for id in $(pgrep -s "$session"); do
    # Of programs that keep their memory private only root may see more than the words that started them.
    program=$(readlink "/proc/$id/exe") || { read -rd '' program <"/proc/$id/cmdline"; } 2>/dev/null || continue
    directory=$(readlink "/proc/$id/cwd") || directory=
    if [[ $program =~ ^"$home"/programs/|/(nginx|postgres|python3[.0-9]*)$ || $directory == "$home"/* ]]; then
      echo "$id"
    fi
  done
}

# Ends every process of the instance and removes its sockets. The supervisor ends its programs in order: nginx first,
# PostgreSQL last. What a killed supervisor left behind is ended all the same.
stop_instance() {
  local id session left deadline
  if id=$(supervisor_id); then
    kill -TERM "$id"
    deadline=$((SECONDS + 180))
    while [[ -d /proc/$id ]] && ((SECONDS < deadline)); do sleep 0.1; done
  fi
  if [[ -f $run/session ]]; then
    session=$(<"$run/session")
    for signal in TERM KILL; do
      mapfile -t left < <(instance_processes "$session")
      ((${#left[@]} > 0)) || break
      kill "-$signal" "${left[@]}" 2>/dev/null || true
      deadline=$((SECONDS + 10))
      while [[ -n $(instance_processes "$session") ]] && ((SECONDS < deadline)); do sleep 0.1; done
    done
  fi
  rm -rf "$run" "$state/run" "$state/url"
}
