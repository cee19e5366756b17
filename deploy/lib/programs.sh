# The programs: built here unless they are given, and copied into the instance, so that a later build does not change
# what runs. Sourced by deploy/run.

# A folder of sources is a program: a route, or a job.
mapfile -t routes < <(basename -a "$checkout"/Sources/Routes/*/)
mapfile -t jobs < <(basename -a "$checkout"/Sources/Jobs/*/)

# Builds what is to run and sets $built, the directory it is in. Static: the programs start faster and need no toolchain.
build_programs() {
  local flags=(--configuration release --static-swift-stdlib)
  require_toolchain
  require_space . 1000 "the build"
  say "building (the first time takes minutes)"
  swift build "${flags[@]}" >&2 || fail "the build failed"
  built=$(swift build "${flags[@]}" --show-bin-path)
}

copy_programs() {
  local name
  rm -rf "$home/programs/routes"
  mkdir -p "$home/programs/routes"
  for name in "${routes[@]}"; do copy_program "$name" "routes/$name"; done
  for name in "${jobs[@]}" tocsin; do copy_program "$name" "$name"; done
}

copy_program() {
  [[ -x $built/$1 ]] || fail "there is no program $1 in $built"
  install -m 755 "$built/$1" "$home/programs/$2"
}
