#!/usr/bin/env bash
# The development IdP as the real, unmodified supabase-js sees it. Needs Node 20 or later; BEARWARD names another program than the debug build.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${BEARWARD:-}" ]; then
  # Built again where another check has left a build without the IdP.
  (cd ../.. && cargo build --locked --bin bearward)
  BEARWARD=$(cd ../.. && pwd)/target/debug/bearward
fi
export BEARWARD
# Its engines field says Node 22; what it needs of that is given to it (client.js).
npm ci --no-audit --no-fund --loglevel=error
exec node --test --test-reporter=spec --test-concurrency=1
