#!/usr/bin/env bash
# Tests the example app in a browser. Arguments select journeys by name (email, session); by default all run.
# E2E_SCREENSHOTS: folder for screenshots; E2E_CHROMIUM: the browser; BEARWARD: the program, by default a debug build; E2E_BUILT=1: reuses the last build of the app.
set -euo pipefail
cd "$(dirname "$0")/../.."
export NEXT_TELEMETRY_DISABLED=1 CI=1
here=$PWD/tests/e2e app=$PWD/examples/nextjs
export E2E_SCREENSHOTS=${E2E_SCREENSHOTS:-$(mktemp -d)}
export E2E_CHROMIUM=${E2E_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$E2E_CHROMIUM" ] || { echo "no Chromium: apt-get install chromium, or set E2E_CHROMIUM" >&2; exit 1; }

if [ -z "${BEARWARD:-}" ]; then
  cargo build --locked --quiet --bin bearward
  BEARWARD=$PWD/target/debug/bearward
fi
export BEARWARD

node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || { echo "Node 20 or later is required, found $(node --version)" >&2; exit 1; }

install() {
  if ! cmp -s "$1/package-lock.json" "$1/node_modules/.installed"; then
    npm ci --prefix "$1" --no-audit --no-fund --silent
    cp "$1/package-lock.json" "$1/node_modules/.installed"
  fi
}
install "$app"
install "$here"

built=$app/.next/e2e-ports.json
if [ -z "${E2E_BUILT:-}" ] || [ ! -e "$built" ]; then
  npm run --silent --prefix "$app" schema:check
  ports=$(node -e 'import(process.argv[1]).then(async ({ freePorts }) => console.log(JSON.stringify(await freePorts(["app", "idp", "api", "model"]))))' "$here/world/ports.js")
  port() { node -p 'JSON.parse(process.argv[1])[process.argv[2]]' "$ports" "$1"; }
  NEXT_PUBLIC_SUPABASE_URL=http://127.0.0.1:$(port idp) \
    NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY=sb_publishable_e2e \
    NEXT_PUBLIC_API_URL=http://127.0.0.1:$(port api) \
    npm run --silent --prefix "$app" build
  echo "$ports" >"$built"
fi
E2E_PORTS=$(cat "$built")
export E2E_PORTS

echo "screenshots: $E2E_SCREENSHOTS"
if [ $# -eq 0 ]; then files=("$here"/journeys/*.test.js); else files=("${@/#/$here/journeys/}") && files=("${files[@]/%/.test.js}"); fi
# All files use the ports of the build, so they run one at a time.
exec node --test --test-reporter=spec --test-concurrency=1 "${files[@]}"
