#!/usr/bin/env bash
# The development IdP as the real, unmodified supabase-js sees it. Needs Node 20 or later; BEARWARD names another program than the debug build.
set -euo pipefail
cd "$(dirname "$0")"
BEARWARD=${BEARWARD:-$(cd ../.. && pwd)/target/debug/bearward}
export BEARWARD
[ -x "$BEARWARD" ] || (cd ../.. && cargo build --locked --bin bearward)
# Its engines field says Node 22; what it needs of that is given to it (client.js).
npm ci --no-audit --no-fund --loglevel=error
exec node --test --test-reporter=spec --test-concurrency=1
