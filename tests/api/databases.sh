#!/usr/bin/env bash
# Runs a command once for each database server, with BEARWARD_TEST_DATABASE_URL set to a temporary server that stops afterwards.
#   tests/api/databases.sh [postgres|mariadb ...] -- COMMAND...
set -euo pipefail

kinds=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do kinds+=("$1"); shift; done
[ "${1:-}" = "--" ] && shift
[ $# -gt 0 ] || { sed -n 2,3p "$0" >&2; exit 2; }
[ ${#kinds[@]} -gt 0 ] || kinds=(postgres mariadb)

# The servers of a test program keep their connections until it ends, three or four for each test.
folder=$(mktemp -d)
chmod 755 "$folder"
server=
stop_server() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap stop_server EXIT

# Chooses a port below the ephemeral range, so that the system does not assign it to another process.
free_port() {
  local port
  while port=$((15000 + RANDOM % 17000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# Runs a command as USER, because database servers refuse to run as root. In the background the command replaces the subshell, so that $! is its id.
run_as() {
  local user=$1 exec=
  shift
  [ "$BASHPID" = "$$" ] || exec="exec"
  [ "$(id -u)" != 0 ] || set -- setpriv --reuid="$user" --regid="$user" --clear-groups env HOME="$folder" "$@"
  $exec "$@"
}

wait_until_ready() {
  for _ in $(seq 300); do
    kill -0 "$server" 2>/dev/null || break
    # The second check ensures that the port belongs to this server and not to another process.
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && kill -0 "$server" 2>/dev/null; then return; fi
    read -rt 0.1 <> <(:) || :
  done
  echo "the database server did not start:" >&2
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
      run_as postgres "$bin/initdb" -D "$folder/postgres/data" -U bearward --auth=trust --no-sync >"$folder/initdb.log"
      run_as postgres "$bin/postgres" -D "$folder/postgres/data" -p "$port" -k "$folder/postgres" -c listen_addresses=127.0.0.1 \
        -c max_connections=2000 -c fsync=off >"$folder/postgres.log" 2>&1 &
      server=$!
      wait_until_ready "$port"
      url=postgres://bearward@127.0.0.1:$port/postgres
      ;;
    mariadb)
      command -v mariadbd >/dev/null || { echo "MariaDB is not installed: apt-get install mariadb-server" >&2; exit 1; }
      install -d -o "$(id -u mysql 2>/dev/null || id -u)" "$folder/mariadb"
      run_as mysql mariadb-install-db --no-defaults --datadir="$folder/mariadb/data" --auth-root-authentication-method=normal \
        --skip-test-db >"$folder/install.log" 2>&1
      run_as mysql mariadbd --no-defaults --datadir="$folder/mariadb/data" --port="$port" --bind-address=127.0.0.1 \
        --socket="$folder/mariadb/socket" --pid-file="$folder/mariadb/pid" --max-connections=2000 \
        --innodb-flush-log-at-trx-commit=0 >"$folder/mariadb.log" 2>&1 &
      server=$!
      wait_until_ready "$port"
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
