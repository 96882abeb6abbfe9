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
# Without these settings GoTrue rejects requests of the example app, ends sessions that are used in two tabs, and sends links in mails that are 404: they
# must begin with the prefix that the gateway serves.
prefix=$(sed -n 's/.*handle_path \(\/[a-z0-9/]*\)\/\* {/\1/p' deploy/Caddyfile)
grep -q "API_EXTERNAL_URL: http://127.0.0.1:54321$prefix\$" "$folder/supabase"
for setting in "GOTRUE_CORS_ALLOWED_HEADERS: apikey" "GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: ['\"]10['\"]" \
  "GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: ['\"]2['\"]" "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: ['\"]true['\"]" \
  "GOTRUE_MAILER_URLPATHS_"{CONFIRMATION,RECOVERY,INVITE,EMAIL_CHANGE}": $prefix/verify"; do
  grep -q "$setting" "$folder/supabase" || { echo "docker-compose.yml lacks $setting" >&2; exit 1; }
done
git check-ignore --quiet .env
if git ls-files | grep -E '(^|/)\.env$'; then
  echo "a file with secrets is committed" >&2
  exit 1
fi

# Platforms set the port in PORT.
grep -qx 'ENV BEARWARD_SERVER__BIND=0\.0\.0\.0' Dockerfile || { echo "the image must set the address only" >&2; exit 1; }

for script in deploy/*.sh; do bash -n "$script"; done
if command -v caddy >/dev/null; then AUTH_UPSTREAM=127.0.0.1:9999 caddy validate --adapter caddyfile --config deploy/Caddyfile >/dev/null 2>&1; fi
echo "docker-compose.yml: both profiles are valid"
