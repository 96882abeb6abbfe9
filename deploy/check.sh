#!/usr/bin/env bash
# Checks that both profiles of docker-compose.yml are valid with and without secrets, that all ports are published to 127.0.0.1, and that no secret is
# committed.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

node deploy/secrets.mjs "$folder/env" >/dev/null
if node deploy/secrets.mjs "$folder/env" >/dev/null 2>&1; then
  echo "deploy/secrets.mjs overwrites an existing file" >&2
  exit 1
fi
: >"$folder/none"
for profile in dev supabase; do
  docker-compose --env-file "$folder/none" --profile "$profile" config --quiet
  docker-compose --env-file "$folder/env" --profile "$profile" config >"$folder/$profile"
  [ "$(grep -cE '^ +- (127\.0\.0\.1:)?[0-9]+:[0-9]+(/tcp)?$' "$folder/$profile")" -gt 0 ]
  if grep -E '^ +- [0-9]+:[0-9]+(/tcp)?$' "$folder/$profile"; then
    echo "the ports above are published on all interfaces" >&2
    exit 1
  fi
done

# The signing key is passed through the file and the variable unchanged.
grep -q '"crv":"P-256"' "$folder/supabase"
# Without these settings GoTrue rejects requests of the example app and ends sessions that are used in two tabs.
for setting in "GOTRUE_CORS_ALLOWED_HEADERS: apikey" "GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: ['\"]10['\"]"; do
  grep -q "$setting" "$folder/supabase" || { echo "docker-compose.yml lacks $setting" >&2; exit 1; }
done
git check-ignore --quiet .env
if git ls-files | grep -E '(^|/)\.env$'; then
  echo "a file with secrets is committed" >&2
  exit 1
fi

for script in deploy/*.sh; do bash -n "$script"; done
if command -v caddy >/dev/null; then AUTH_UPSTREAM=127.0.0.1:9999 caddy validate --adapter caddyfile --config deploy/Caddyfile >/dev/null 2>&1; fi
echo "docker-compose.yml: both profiles are valid"
