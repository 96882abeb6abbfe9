#!/usr/bin/env bash
# Drives examples/mcp_server with the client of the official MCP SDK and a browser. Requires Node 20 or later and Chromium.
# BEARWARD and MCP_SERVER select the programs, by default debug builds; E2E_CHROMIUM selects the browser.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
if [ -z "${BEARWARD:-}" ]; then
  (cd "$root" && cargo build --locked --bin bearward)
  BEARWARD=$root/target/debug/bearward
fi
if [ -z "${MCP_SERVER:-}" ]; then
  (cd "$root" && cargo build --locked -p mcp-server)
  MCP_SERVER=$root/target/debug/mcp-server
fi
export E2E_CHROMIUM=${E2E_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$E2E_CHROMIUM" ] || { echo "no Chromium: apt-get install chromium, or set E2E_CHROMIUM" >&2; exit 1; }
export BEARWARD MCP_SERVER
npm ci --no-audit --no-fund --loglevel=error
exec node --test --test-reporter=spec --test-concurrency=1
