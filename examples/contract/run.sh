#!/usr/bin/env bash
# Runs the conformance suite against the example servers: all of them, or the named ones.
#
#   examples/contract/run.sh [--quick] [--keep] [PEER...]
#
# --quick skips cases that wait for a cooldown; --keep does not update the results, and fails if they differ.
# BEARWARD is the binary to use instead of a debug build; BIND and PORT are the address of the mock identity provider and the port of the peer.
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

# Installs the pinned packages of a peer under target/, and sets $start to the command that starts it.
install() {
  local from=$here/$1 to=$work/$1
  mkdir -p "$to"
  if [ -f "$from/requirements.txt" ]; then
    [ -x "$to/venv/bin/python" ] || python3 -m venv "$to/venv"
    "$to/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$from/requirements.txt"
    if [ -f "$from/start.sh" ]; then
      start="PEER_SOURCE=$from PEER_WORK=$to exec sh $from/start.sh"
    elif grep -q '^uvicorn=' "$from/requirements.txt"; then
      start="$to/venv/bin/python -m uvicorn server:app --app-dir $from --port $PORT --log-level warning"
    else
      start="exec $to/venv/bin/python $from/server.py"
    fi
  elif [ -f "$from/package.json" ]; then
    cp "$from"/{package.json,package-lock.json,server.js} "$to"
    (cd "$to" && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    start="node $to/server.js"
  elif [ -f "$from/go.mod" ]; then
    (cd "$from" && GOFLAGS=-mod=readonly go build -o "$to/server" .)
    start="exec $to/server"
  elif [ -f "$from/composer.json" ]; then
    cp "$from/composer.json" "$to"
    (cd "$to" && composer install --quiet --no-interaction --no-dev)
    # The cache is that of one run.
    start="rm -rf $to/cache; PEER_WORK=$to PHP_CLI_SERVER_WORKERS=8 exec php -S 127.0.0.1:$PORT $from/server.php"
  elif [ -f "$from/pom.xml" ]; then
    cp -R "$from"/{pom.xml,src} "$to"
    (cd "$to" && mvn --quiet --batch-mode package >/dev/null)
    start="exec java -jar $to/target/server.jar"
  else
    cargo build --locked --manifest-path "$from/Cargo.toml" --target-dir "$work/target"
    start=$work/target/debug/$1
  fi
  # Restarted like under a service manager: some servers load the key set at start and exit if that fails.
  if python3 -c 'import json, sys; sys.exit(not json.load(open(sys.argv[1])).get("restart"))' "$from/peer.json"; then
    start="until (${start}); do sleep 1; done"
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
  # Exit code 1: cases failed, which is a result. 2: the suite could not run.
  if [ "$code" -gt 1 ]; then
    cat "$work/$peer/report.txt" >&2
    exit 2
  fi
  python3 results.py "${keep[@]}" "$peer" "$work/$peer/report.json" || failed=1
done
exit $failed
