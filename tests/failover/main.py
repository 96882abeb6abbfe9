"""Runs the failover scenarios. tests/failover/run.sh starts it in namespaces of its own."""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from cluster import HAPROXY_PORT, NAME, NODES, Cluster, create_network, move_name, program, psql
from load import Load
from processes import Process, as_postgres, run, wait_until
from report import evaluate, table
from servers import MAX_CONNECTIONS, BusyRequests, Idp, Replica

HAPROXY = f"127.0.0.1:{HAPROXY_PORT}"
ALL_HOSTS = ",".join(f"{address}:5432" for address in NODES.values())


class Fault:
    """What can happen to a primary. Each method returns the new primary and the time from which writes must succeed."""

    def __init__(self, cluster: Cluster, replicas, idp, name_delay):
        self.cluster = cluster
        self.replicas = replicas
        self.idp = idp
        self.name_delay = name_delay

    def kill(self, primary):
        """PostgreSQL and Patroni are killed."""
        self.cluster.kill_node(primary)
        return self.cluster.wait_for_new_primary(primary)

    def switch_over(self, primary):
        """The primary and its synchronous standby exchange their roles."""
        candidate = self.cluster.node_with_role("sync_standby")
        request = threading.Thread(target=self.cluster.switch_over, args=(primary, candidate))
        request.start()
        new, answered_at = self.cluster.wait_for_new_primary(primary)
        request.join()
        return new, answered_at

    def switch_over_with_late_name(self, primary):
        """As above, and the name moves when the old primary is a standby. Writes must succeed from then on."""
        new, _ = self.switch_over(primary)
        is_standby = lambda: self.cluster.members().get(primary, {}).get("role") in ("replica", "sync_standby")  # noqa: E731
        wait_until(is_standby, 60, "the old primary is a standby")
        wait_until(lambda: psql(primary, "SELECT pg_is_in_recovery()") == "t", 60, "the standby answers")
        time.sleep(self.name_delay)
        move_name(new)
        return new, time.monotonic()

    def partition(self, primary):
        """The network of the primary is cut while a locked table keeps every connection busy."""
        lock = subprocess.Popen(
            ["ip", "netns", "exec", primary, *as_postgres("psql", "-XAtq", "-h", DIRECTORY / primary, "-d", "bearward")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        lock.stdin.write("BEGIN; LOCK TABLE bearward.users IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
        lock.stdin.flush()
        answer = lock.stdout.readline()
        if answer != "locked\n":
            raise RuntimeError(f"the table cannot be locked: {answer}")
        busy = BusyRequests(self.replicas, self.idp)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bearward' AND wait_event_type = 'Lock'"
        every_connection = str(MAX_CONNECTIONS * len(self.replicas))
        wait_until(lambda: psql(primary, waiting) == every_connection, 30, "every connection waits for the lock")
        self.cluster.cut_off(primary)
        busy.stopped.set()
        new, answered_at = self.cluster.wait_for_new_primary(primary)
        move_name(new)
        lock.kill()
        lock.wait()
        return new, answered_at


# Each with its fault, the database hosts of the two replicas, and whether it belongs to the short form.
SCENARIOS = {
    "HAProxy, kill -9": (Fault.kill, (HAPROXY, HAPROXY), True),
    "HAProxy, switchover": (Fault.switch_over, (HAPROXY, HAPROXY), True),
    "late name, switchover": (Fault.switch_over_with_late_name, (NAME, NAME), True),
    "partition, full pools": (Fault.partition, (NAME, ALL_HOSTS), True),
    "list of hosts, kill -9": (Fault.kill, (ALL_HOSTS, ALL_HOSTS), False),
    "HAProxy, partition": (Fault.partition, (HAPROXY, HAPROXY), False),
}
# A private file system: nothing remains when the script is killed.
DIRECTORY = Path("/run/failover")
LOGS = Path("target/failover").absolute()
REPETITIONS = 3
# How long clients go on after every replica has recovered.
AFTERWARDS = 2


def play(name, cluster: Cluster, idp: Idp, is_long):
    """Plays a scenario and returns a row for each replica."""
    print(f"-- {name}", flush=True)
    fault, hosts, _ = SCENARIOS[name]
    primary = cluster.wait_until_healthy()
    move_name(primary)
    replicas = [Replica(f"{host_kind(host)} {number}", 8000 + number, host, DIRECTORY) for number, host in enumerate(hosts, 1)]
    started = time.strftime("%H%M%S")
    load = Load(started, replicas, idp)
    recorded = load.recorded.values()
    wait_until(lambda: all(len(each.acknowledged) > 20 for each in recorded), 60, "every replica writes")
    fault_at = time.monotonic()
    new, answered_at = fault(Fault(cluster, replicas, idp, 8 if is_long else 3), primary)
    print(f"   {primary} -> {new}, which answers {answered_at - fault_at:.1f} s after the fault", flush=True)

    deadline = time.monotonic() + 60
    while not all(has_recovered(each, answered_at) for each in recorded) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(AFTERWARDS)
    load.stop()
    rows = [evaluate(name, replica.name, load.recorded[replica.name], fault_at, answered_at) for replica in replicas]
    stored = Counter(psql(new, f"SELECT client_name FROM bearward.status_checks WHERE client_name LIKE '{started} %'", check=True).splitlines())
    for replica, row in zip(replicas, rows):
        acknowledged = load.recorded[replica.name].acknowledged
        row.lost = sum(stored[each] == 0 for each in acknowledged)
        row.doubled = sum(stored[each] > 1 for each in acknowledged)
        if row.lost or row.doubled:
            row.faults.append(f"{row.lost} acknowledged writes are lost, {row.doubled} are stored more than once")
        if not replica.process.is_running():
            row.faults.append("the process has ended")
    for replica in replicas:
        replica.process.stop()
    if fault is Fault.kill:
        cluster.start_node(primary)
    elif fault is Fault.partition:
        cluster.reconnect(primary)
    return rows


def has_recovered(recorded, answered_at):
    """Returns whether a write has succeeded, and the replica has been ready afterwards."""
    good = min((event.end for event in list(recorded.writes) if event.status == 201 and event.start > answered_at), default=None)
    return good is not None and any(event.status == 200 and event.start > good for event in list(recorded.readiness))


def host_kind(hosts):
    """Returns a short word for how a replica finds the database."""
    return {HAPROXY: "haproxy", NAME: "name", ALL_HOSTS: "hosts"}[hosts]


def print_versions():
    patroni = run("/usr/bin/python3", shutil.which("patroni"), "--version")
    lines = [run(program("postgres"), "--version"), patroni, run("etcd", "--version"), run("haproxy", "-v"), run(os.environ["BEARWARD"], "--version")]
    print(", ".join(line.splitlines()[0] for line in lines))


def main():
    parser = argparse.ArgumentParser(prog="tests/failover/run.sh")
    parser.add_argument("--long", action="store_true", help=f"play every scenario {REPETITIONS} times")
    parser.add_argument("--only", metavar="TEXT", default="", help=f"only scenarios whose name contains this text: {'; '.join(SCENARIOS)}")
    options = parser.parse_args()
    names = [name for name, (_, _, is_short) in SCENARIOS.items() if (is_short or options.long) and options.only in name]
    run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
    DIRECTORY.mkdir()
    print_versions()
    rows = []
    started = time.monotonic()
    try:
        create_network(DIRECTORY)
        cluster = Cluster(DIRECTORY)
        cluster.start()
        idp = Idp(DIRECTORY)
        for _ in range(REPETITIONS if options.long else 1):
            for name in names:
                rows += play(name, cluster, idp, options.long)
    except BaseException:
        for process in Process.running:
            print(process.last_lines(), file=sys.stderr)
        raise
    finally:
        Process.kill_all()
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        for log in DIRECTORY.glob("*.log"):
            shutil.copy(log, LOGS)
        if rows:
            print(table(rows))
    faults = [f"{row.scenario}, {row.replica}: {fault}" for row in rows for fault in row.faults]
    print("\n".join(faults), file=sys.stderr)
    failed = sum(bool(row.faults) for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed, in {time.monotonic() - started:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
