#!/usr/bin/env bash
# Runs the service of docs/conformance.md under the suite, as the page does: only the case that the page names fails.
#
# BEARWARD is the binary to use instead of a debug build; BIND and PORT are the address of the identity provider and the port of the service.
set -euo pipefail
cd "$(dirname "$0")/../.."
bind=${BIND:-127.0.0.1:9971}
port=${PORT:-9972}
work=${CONTRACT_WORK:-$PWD/target/contract-peers}/page
requirements=$PWD/examples/contract/fastapi-pyjwt/requirements.txt
page=$PWD/docs/conformance.md
if [ -z "${BEARWARD:-}" ]; then
  cargo build --locked --bin bearward
  BEARWARD=$PWD/target/debug/bearward
fi
mkdir -p "$work"
cd "$work"
[ -x venv/bin/python ] || python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
awk '/^```python/ { inside = 1; next } /^```/ { inside = 0 } inside' "$page" >server.py
grep -q '^app' server.py

suite() {
  "$BEARWARD" contract --target "http://127.0.0.1:$port/protected" --issuer-bind "$bind" --quick \
    --start "venv/bin/python -m uvicorn server:app --port $port --log-level warning" "$@" >report.txt 2>&1
}
suite --exclude jwks.short-rsa || { cat report.txt >&2; exit 1; }
code=0
suite --only jwks.short-rsa || code=$?
[ "$code" -eq 1 ] || { cat report.txt >&2; echo "docs/conformance.md says that jwks.short-rsa fails" >&2; exit 1; }
echo "the service of docs/conformance.md fails jwks.short-rsa only"
