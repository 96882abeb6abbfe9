#!/usr/bin/env bash
# Tests the server and the development IdP with unmodified DPoP clients. Requires Node 20 or later. BEARWARD selects the program, by default a debug build.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${BEARWARD:-}" ]; then
  # Rebuild, because another check may have left a build without the IdP.
  (cd ../.. && cargo build --locked --bin bearward)
  BEARWARD=$(cd ../.. && pwd)/target/debug/bearward
fi
export BEARWARD
npm ci --no-audit --no-fund --loglevel=error
exec node --test --test-reporter=spec --test-concurrency=1
