#!/usr/bin/env bash
# Tests the development IdP with the unmodified supabase-js. Requires Node 20 or later. BEARWARD selects the program, by default a debug build.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${BEARWARD:-}" ]; then
  # Rebuild, because another check may have left a build without the IdP.
  (cd ../.. && cargo build --locked --bin bearward)
  BEARWARD=$(cd ../.. && pwd)/target/debug/bearward
fi
export BEARWARD
# supabase-js declares Node 22; client.js passes the WebSocket that Node 20 lacks.
npm ci --no-audit --no-fund --loglevel=error
exec node --test --test-reporter=spec --test-concurrency=1
