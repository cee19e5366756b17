# Settings from deploy/tocsin.env, and templates filled with them. Sourced by deploy/run.

# Exports each setting of the file that the environment does not have.
read_settings() {
  local line name
  while IFS= read -r line; do
    [[ $line == [A-Z]*=* ]] || continue
    name=${line%%=*}
    [[ -n ${!name:-} ]] || export "$name=${line#*=}"
  done <"$1"
}

# How many processes the program named gets.
process_count() {
  local own=${1^^}
  own=ALERTING_WORKERS_${own//-/_}
  local count=${!own:-$ALERTING_WORKERS}
  [[ $count =~ ^[1-9][0-9]{0,2}$ ]] || fail "$own (or ALERTING_WORKERS) must be a number from 1 to 999, not \"$count\""
  echo "$count"
}

# Prints the template with each @NAME@ replaced by the value of the NAME=value arguments.
fill() {
  local text setting
  text=$(<"$1")
  shift
  for setting in "$@"; do
    text=${text//"@${setting%%=*}@"/"${setting#*=}"}
  done
  printf '%s\n' "$text"
}
