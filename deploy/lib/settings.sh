# Settings from deploy/tocsin.env, and templates filled with them. Sourced by deploy/run.

# Sets each setting of the file that the environment does not have, and exports it unless its default is empty.
read_settings() {
  local line name value
  while IFS= read -r line; do
    [[ $line == [A-Z]*=* ]] || continue
    name=${line%%=*} value=${line#*=}
    [[ -z ${!name:-} ]] || continue
    printf -v "$name" %s "$value"
    [[ -z $value ]] || export "${name?}"
  done <"$1"
}

# A program's name as it is in the names of its settings: CHECK_STORAGE.
capitals() {
  local name=${1^^}
  echo "${name//-/_}"
}

# Sets ${processes[NAME]} for each route and job.
declare -A processes
count_processes() {
  local name setting
  for name in "${routes[@]}" "${jobs[@]}"; do
    setting=ALERTING_WORKERS_$(capitals "$name")
    [[ -n ${!setting:-} ]] || setting=ALERTING_WORKERS
    [[ ${!setting} =~ ^[1-9][0-9]{0,2}$ ]] || fail "$setting must be a number from 1 to 999, not \"${!setting}\""
    processes[$name]=${!setting}
  done
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
