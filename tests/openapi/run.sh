#!/usr/bin/env bash
# Validates the OpenAPI document, and tests every operation of a running server against it with a valid token.
# BEARWARD is the path of the program to test (default: the debug build).
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=$PWD/target/openapi-venv
if ! cmp -s tests/openapi/requirements.txt "$venv/installed"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/openapi/requirements.txt
  cp tests/openapi/requirements.txt "$venv/installed"
fi
if [ -z "${BEARWARD:-}" ]; then
  cargo build --locked --quiet --bin bearward
  BEARWARD=$PWD/target/debug/bearward
fi

directory=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$directory"
}
trap cleanup EXIT

"$BEARWARD" openapi >"$directory/openapi.json"
"$venv/bin/python" -m openapi_spec_validator "$directory/openapi.json"

(cd "$directory" && RUST_LOG=error BEARWARD_RATE_LIMIT__ENABLED=false exec "$BEARWARD" dev --bind 127.0.0.1:0 --idp-bind 127.0.0.1:0) \
  >"$directory/dev.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  if grep -q "Ctrl-C" "$directory/dev.log"; then break; fi
  kill -0 "$server" 2>/dev/null || { cat "$directory/dev.log" >&2; exit 1; }
  read -rt 0.1 <> <(:) || :
done
address() { sed 's/\x1b\[[0-9;]*m//g' "$directory/dev.log" | grep -m1 -E "^$1 " | grep -oE 'http://[0-9.:]+' | head -1; }
api=$(address API)
idp=$(address console)
read_json() { "$venv/bin/python" -c "import json, sys; print(json.load(sys.stdin)$1)"; }
token_of() {
  curl -sf -X POST "$idp/admin/tokens" -H 'content-type: application/json' \
    -d "{\"claims\": {\"sub\": \"$1\", \"app_metadata\": {\"roles\": [\"admin\"]}}, \"expires_in\": 3600}" | read_json '["access_token"]'
}
# The administration endpoints are tested with the id of another account: disabling the caller would fail every later request.
id=$(curl -sf "$api/api/auth/me" -H "Authorization: Bearer $(token_of other)" | read_json '["id"]')

{ cat tests/openapi/schemathesis.toml; printf '\n[parameters]\n"path.id" = "%s"\n' "$id"; } >"$directory/schemathesis.toml"
# Tests operations with the token of a user. A fixed seed: a failure found by chance should become a test.
test_operations() {
  local user=$1
  shift
  (cd "$directory" && "$venv/bin/schemathesis" --config-file schemathesis.toml run "$api/openapi.json" -H "Authorization: Bearer $(token_of "$user")" \
    --checks all --phases examples,coverage,fuzzing --max-examples 60 --seed 1 --continue-on-failure --no-color "$@" >schemathesis.log 2>&1) || {
    cut -c1-400 "$directory/schemathesis.log" >&2
    exit 1
  }
  sed -n '/= SUMMARY =/,$p' "$directory/schemathesis.log"
  tested=$((tested + $(sed -n 's/^ *Tested: \([0-9]*\).*/\1/p' "$directory/schemathesis.log")))
}
tested=0
# These revoke the token that they are sent with.
revoking=("POST /api/auth/sign-out" "DELETE /api/user")
test_operations schemathesis --exclude-name "${revoking[0]}" --exclude-name "${revoking[1]}"
for operation in "${revoking[@]}"; do
  test_operations "${operation// /-}" --include-name "$operation"
done
echo "$tested passed, 0 failed"
