#!/usr/bin/env bash
# The contract test against real servers that others would write: all of them, or those that are named.
#
#   examples/contract/run.sh [--quick] [--keep] [PEER...]
#
# --quick leaves out what waits for a cooldown; --keep writes nothing to the results, and fails where they differ from what is written.
# BEARWARD names another program than the debug build; BIND and PORT the addresses of the mock identity provider and of the peer.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(cd ../.. && pwd)
work=${CONTRACT_WORK:-$root/target/contract-peers}
bind=${BIND:-127.0.0.1:9971}
export PORT=${PORT:-9972}
quick=() keep=()
peers=()
for word; do
  case $word in
    --quick) quick=(--quick) ;;
    --keep) keep=(--keep) ;;
    -*) sed -n "2,7s/^# \{0,1\}//p" run.sh >&2; exit 2 ;;
    *) peers+=("${word%/}") ;;
  esac
done
[ ${#peers[@]} -gt 0 ] || for file in */peer.json; do peers+=("${file%/peer.json}"); done

if [ -z "${BEARWARD:-}" ]; then
  (cd "$root" && cargo build --locked --bin bearward)
  BEARWARD=$root/target/debug/bearward
fi

# Installs a peer's pinned packages under target/, and leaves the command line that starts it in $start.
install() {
  local from=$here/$1 to=$work/$1
  mkdir -p "$to"
  if [ -f "$from/requirements.txt" ]; then
    [ -x "$to/venv/bin/python" ] || python3 -m venv "$to/venv"
    "$to/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$from/requirements.txt"
    start="$to/venv/bin/python -m uvicorn server:app --app-dir $from --port $PORT --log-level warning"
  elif [ -f "$from/package.json" ]; then
    cp "$from"/{package.json,package-lock.json,server.js} "$to"
    (cd "$to" && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    start="node $to/server.js"
  else
    cargo build --locked --release --manifest-path "$from/Cargo.toml" --target-dir "$work/target"
    # Started again, as a service manager does: some read the key set at their start, and end where they cannot.
    start="until $work/target/release/$1; do sleep 1; done"
  fi
}

failed=0
for peer in "${peers[@]}"; do
  install "$peer"
  mapfile -t options < <(python3 -c 'import json, sys; [print(word) for word in json.load(open(sys.argv[1])).get("options", [])]' "$peer/peer.json")
  code=0
  "$BEARWARD" contract --target "http://127.0.0.1:$PORT/protected" --issuer-bind "$bind" --algorithms RS256 "${quick[@]}" "${options[@]}" \
    --start "$start" --json "$work/$peer/report.json" --junit "$work/$peer/junit.xml" --html "$work/$peer/report.html" \
    >"$work/$peer/report.txt" 2>&1 || code=$?
  # 1 says that cases failed, which is what the results are about; 2 that nothing was learnt.
  if [ "$code" -gt 1 ]; then
    cat "$work/$peer/report.txt" >&2
    exit 2
  fi
  python3 results.py "${keep[@]}" "$peer" "$work/$peer/report.json" || failed=1
done
exit $failed
