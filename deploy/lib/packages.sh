# The Debian packages that Tocsin needs, and their installation. Sourced by deploy/run and deploy/test.

packages_to_build=(libfcgi-dev libpq-dev libcurl4-openssl-dev libssl-dev libre2-dev zlib1g-dev pkg-config g++ git)
packages_to_run=(nginx postgresql supervisor curl ca-certificates tzdata procps)
packages_to_test=(python3-aiosmtpd python3-pip openssl pgbouncer libnss-wrapper systemd)

# The names given that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

# Installs what is missing of the packages named; touches nothing when nothing is missing.
install_packages() {
  command -v dpkg-query >/dev/null || fail "this needs Debian 12 or one of its kind, with these packages: $*"
  local missing=() as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "these Debian packages are missing, install them as root: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" bash -c "$(declare -f install_with_services_off); install_with_services_off \"\$@\"" \
    install "${missing[@]}" >&2 || fail "the Debian packages could not be installed: ${missing[*]}"
}

# Debian starts a service when its package is installed, makes a PostgreSQL cluster, and starts both at each boot.
# Tocsin runs its own, so for the time of the installation all that is turned off, by files that go away again.
install_with_services_off() (
  set -euo pipefail
  policy=/usr/sbin/policy-rc.d
  no_cluster=/etc/postgresql-common/createcluster.d/tocsin.conf
  made=()
  trap 'rm -f "${made[@]}"' EXIT
  if [[ ! -e $policy ]]; then
    made+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  mkdir -p "${no_cluster%/*}"
  made+=("$no_cluster")
  echo "create_main_cluster = false" >"$no_cluster"

  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "$@"
  if [[ -d /run/systemd/system ]]; then
    for package in "$@"; do
      case $package in nginx | postgresql | supervisor | pgbouncer) systemctl disable "$package" ;; esac
    done
  fi
)
