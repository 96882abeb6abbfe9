#!/usr/bin/env bash
# Runs a command once on PostgreSQL and once on MariaDB, each a server of its own in a temporary folder, which ends with the command.
#   tests/api/databases.sh [postgres|mariadb ...] -- COMMAND...     BEARWARD_TEST_DATABASE_URL names the server
set -euo pipefail

kinds=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do kinds+=("$1"); shift; done
[ "${1:-}" = "--" ] && shift
[ $# -gt 0 ] || { sed -n 2,3p "$0" >&2; exit 2; }
[ ${#kinds[@]} -gt 0 ] || kinds=(postgres mariadb)

folder=$(mktemp -d)
chmod 755 "$folder"
server=
ended() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap ended EXIT

# Below the ports that the system gives to whoever asks for any.
free_port() {
  local port
  while port=$((15000 + RANDOM % 17000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# A database server refuses to run as root.
as() { local user=$1; shift; if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$user" --clear-groups env HOME="$folder" "$@"; else "$@"; fi; }

until_answers() {
  for _ in $(seq 300); do
    kill -0 "$server" 2>/dev/null || break
    # Ours is still running: what answers is not somebody else who was faster.
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && kill -0 "$server" 2>/dev/null; then return; fi
    read -rt 0.1 <> <(:) || :
  done
  echo "the database server does not come up:" >&2
  tail -20 "$folder"/*.log >&2
  exit 1
}

for kind in "${kinds[@]}"; do
  port=$(free_port)
  case $kind in
    postgres)
      bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
      [ -n "$bin" ] || { echo "PostgreSQL is not installed: apt-get install postgresql" >&2; exit 1; }
      install -d -o "$(id -u postgres 2>/dev/null || id -u)" "$folder/postgres"
      as postgres "$bin/initdb" -D "$folder/postgres/data" -U bearward --auth=trust --no-sync >"$folder/initdb.log"
      as postgres "$bin/postgres" -D "$folder/postgres/data" -p "$port" -k "$folder/postgres" -c listen_addresses=127.0.0.1 \
        -c max_connections=500 -c fsync=off >"$folder/postgres.log" 2>&1 &
      server=$!
      until_answers "$port"
      url=postgres://bearward@127.0.0.1:$port/postgres
      ;;
    mariadb)
      command -v mariadbd >/dev/null || { echo "MariaDB is not installed: apt-get install mariadb-server" >&2; exit 1; }
      install -d -o "$(id -u mysql 2>/dev/null || id -u)" "$folder/mariadb"
      as mysql mariadb-install-db --no-defaults --datadir="$folder/mariadb/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$folder/install.log" 2>&1
      as mysql mariadbd --no-defaults --datadir="$folder/mariadb/data" --port="$port" --bind-address=127.0.0.1 \
        --socket="$folder/mariadb/socket" --pid-file="$folder/mariadb/pid" --max-connections=500 \
        --innodb-flush-log-at-trx-commit=0 >"$folder/mariadb.log" 2>&1 &
      server=$!
      until_answers "$port"
      mariadb --no-defaults --socket="$folder/mariadb/socket" -uroot \
        -e "CREATE USER bearward@'127.0.0.1'; GRANT ALL ON *.* TO bearward@'127.0.0.1'; CREATE USER bearward@localhost; GRANT ALL ON *.* TO bearward@localhost"
      url=mysql://bearward@127.0.0.1:$port/mysql
      ;;
    *) echo "unknown database $kind: postgres or mariadb" >&2; exit 2 ;;
  esac
  echo "-- $kind: $*"
  BEARWARD_TEST_DATABASE_URL=$url "$@"
  kill "$server"; wait "$server" 2>/dev/null || true
  server=
done
