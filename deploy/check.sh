#!/usr/bin/env bash
# Both profiles of docker-compose.yml can be read, with and without secrets; each port is this machine's alone; no secret is in the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

node deploy/secrets.mjs "$folder/env" >/dev/null
if node deploy/secrets.mjs "$folder/env" >/dev/null 2>&1; then
  echo "deploy/secrets.mjs writes over what is there" >&2
  exit 1
fi
: >"$folder/none"
for profile in dev supabase; do
  docker-compose --env-file "$folder/none" --profile "$profile" config --quiet
  docker-compose --env-file "$folder/env" --profile "$profile" config >"$folder/$profile"
  [ "$(grep -cE '^ +- (127\.0\.0\.1:)?[0-9]+:[0-9]+(/tcp)?$' "$folder/$profile")" -gt 0 ]
  if grep -E '^ +- [0-9]+:[0-9]+(/tcp)?$' "$folder/$profile"; then
    echo "the ports above are published to every network" >&2
    exit 1
  fi
done

# The key arrives as it was written, through the file, the variable and the document.
grep -q '"crv":"P-256"' "$folder/supabase"
# Without these the real server answers no page of the example app, and signs people out who have two tabs open.
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
echo "docker-compose.yml: both profiles are sound"
