#!/usr/bin/env bash
# The OpenAPI document against its standard, and the running server against the document: every operation, with a real token.
# BEARWARD names another program than the debug build.
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

folder=$(mktemp -d)
server=
ended() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap ended EXIT

"$BEARWARD" openapi >"$folder/openapi.json"
"$venv/bin/python" -m openapi_spec_validator "$folder/openapi.json"

(cd "$folder" && RUST_LOG=error BEARWARD_RATE_LIMIT__ENABLED=false exec "$BEARWARD" dev --bind 127.0.0.1:0 --idp-bind 127.0.0.1:0) \
  >"$folder/dev.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  if grep -q "Ctrl-C" "$folder/dev.log"; then break; fi
  kill -0 "$server" 2>/dev/null || { cat "$folder/dev.log" >&2; exit 1; }
  read -rt 0.1 <> <(:) || :
done
address() { sed 's/\x1b\[[0-9;]*m//g' "$folder/dev.log" | grep -m1 -E "^ +$1 " | grep -oE 'http://[0-9.:]+' | head -1; }
api=$(address API)
idp=$(address IdP)
read_json() { "$venv/bin/python" -c "import json, sys; print(json.load(sys.stdin)$1)"; }
token=$(curl -sf -X POST "$idp/admin/tokens" -H 'content-type: application/json' \
  -d '{"claims": {"sub": "schemathesis", "app_metadata": {"roles": ["admin"]}}, "expires_in": 3600}' | read_json '["access_token"]')
# An account of somebody else: the one that asks must stay open.
other=$(curl -sf -X POST "$idp/admin/tokens" -H 'content-type: application/json' -d '{"claims": {"sub": "other"}}' | read_json '["access_token"]')
id=$(curl -sf "$api/api/auth/me" -H "Authorization: Bearer $other" | read_json '["id"]')

{ cat tests/openapi/schemathesis.toml; printf '\n[parameters]\n"path.id" = "%s"\n' "$id"; } >"$folder/schemathesis.toml"
# The same examples each time: what is found by chance belongs into a test.
(cd "$folder" && "$venv/bin/schemathesis" --config-file schemathesis.toml run "$api/openapi.json" -H "Authorization: Bearer $token" \
  --checks all --phases examples,coverage,fuzzing --max-examples 60 --seed 1 --continue-on-failure --no-color >schemathesis.log 2>&1) || {
  cut -c1-400 "$folder/schemathesis.log" >&2
  exit 1
}
sed -n '/= SUMMARY =/,$p' "$folder/schemathesis.log"
"$venv/bin/python" - "$folder/schemathesis.log" <<'P'
import re, sys
tested = re.search(r"Tested: (\d+)", open(sys.argv[1]).read())
print(f"{tested.group(1)} passed, 0 failed")
P
