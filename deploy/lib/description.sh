# The programs that check the description of the API, and the service by it. Sourced by deploy/test and deploy/check-api.

# Sets $description_tools, a folder with what the requirements name. It is installed once, and anew when they change.
install_description_tools() {
  local requirements=Tests/EndToEndTests/Description/requirements.txt digest
  digest=$(sha256sum "$requirements")
  description_tools=$PWD/.local/description-${digest:0:12}
  [[ ! -d $description_tools ]] || return 0
  say "installing what checks the description of the API"
  mkdir -p .local
  rm -rf "$description_tools.new"
  /usr/bin/python3 -m pip install --quiet --no-deps --require-hashes --only-binary :all: --disable-pip-version-check --root-user-action=ignore \
    --target "$description_tools.new" --requirement "$requirements" || fail "schemathesis cannot be had from PyPI"
  mv "$description_tools.new" "$description_tools"
}
