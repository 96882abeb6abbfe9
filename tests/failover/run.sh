#!/usr/bin/env bash
# Tests the server with a failing PostgreSQL cluster: three nodes under Patroni, etcd, HAProxy, two replicas of bearward.
#   tests/failover/run.sh [--long] [--only TEXT]
# --long repeats each scenario and adds some; BEARWARD is the path of the program to test (default: the debug build).
#
# Everything runs in network, mount and PID namespaces of its own: the interfaces, /etc/hosts and the processes of this machine are not
# changed, and the kernel ends every process when the script ends. Needs root and the packages of Debian:
#   apt-get install --no-install-recommends postgresql patroni python3-etcd etcd-server haproxy iproute2
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { echo "skipped: the failover test needs $1"; exit 0; }
namespaces=(unshare --net --mount --pid --fork --kill-child --mount-proc)
"${namespaces[@]}" ip link add test-link type veth peer name test-peer 2>/dev/null || skip "root, iproute2 and network namespaces"
for program in etcd patroni haproxy psql setpriv; do
  command -v "$program" >/dev/null || skip "$program (the packages are named in tests/failover/run.sh)"
done
if [ -z "${BEARWARD:-}" ]; then
  cargo build --locked --quiet --bin bearward
  BEARWARD=$PWD/target/debug/bearward
fi
export BEARWARD
# The shell is process 1 of the namespace: it reaps what Patroni leaves behind.
exec "${namespaces[@]}" bash -c 'python3 -B tests/failover/main.py "$@"; exit $?' bash "$@"
