"""The database cluster: a bridge with three network namespaces, etcd, Patroni with PostgreSQL, and HAProxy."""

import json
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from processes import Process, as_postgres, kill_tree, run, wait_until

HUB = "10.77.0.1"
NETWORK = "10.77.0.0/24"
NODES = {"n1": "10.77.0.11", "n2": "10.77.0.12", "n3": "10.77.0.13"}
NAME = "db.failover.test"
PASSWORD = "correct-horse"
HAPROXY_PORT = 5000

# The lease of the leader. Patroni's defaults (30 s, 10 s, 10 s) would only prolong the test.
PATRONI = {"ttl": 10, "loop_wait": 1, "retry_timeout": 3}

# As in Patroni's documentation, with faster checks: by default HAProxy needs 6 s to use a new primary.
HAPROXY = f"""
defaults
    mode tcp
    timeout connect 2s
    timeout check 2s
    timeout client 30m
    timeout server 30m
listen primary
    bind 127.0.0.1:{HAPROXY_PORT}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
"""


def program(name):
    """Returns the path of a program of the newest installed PostgreSQL."""
    versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
    return versions[-1] / "bin" / name


def create_network(directory: Path):
    """Connects one namespace for each node with this one, where everything else runs."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "bridge", "type", "bridge")
    run("ip", "address", "add", f"{HUB}/24", "dev", "bridge")
    run("ip", "link", "set", "bridge", "up")
    for node, address in NODES.items():
        run("ip", "netns", "add", node)
        run("ip", "link", "add", node, "type", "veth", "peer", "name", "eth0", "netns", node)
        run("ip", "link", "set", node, "master", "bridge", "up")
        run("ip", "-n", node, "address", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", node, "link", "set", "lo", "up")
        run("ip", "-n", node, "link", "set", "eth0", "up")
        # Without this, a connection to a node that is cut off would fail as soon as its address is not resolved. Behind a router it hangs.
        hardware = run("ip", "netns", "exec", node, "cat", "/sys/class/net/eth0/address")
        run("ip", "neighbour", "replace", address, "lladdr", hardware, "dev", "bridge", "nud", "permanent")
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{NODES['n1']} {NAME}\n")
    run("mount", "--bind", hosts, "/etc/hosts")


def move_name(node):
    """Makes the name lead to a node. The content has the same length, and is written at once."""
    with open("/etc/hosts", "r+", encoding="ascii") as hosts:
        hosts.write(f"127.0.0.1 localhost\n{NODES[node]} {NAME}\n")


def psql(node, statement, database="bearward", user="postgres", check=False):
    """Runs a statement on a node, directly, and returns its output, or None if it fails."""
    return run(
        "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement,
        f"host={NODES[node]} user={user} password={PASSWORD} dbname={database} connect_timeout=2 options='-c statement_timeout=5s'",
        check=check,
    )  # fmt: skip


class Cluster:
    def __init__(self, directory: Path):
        self.directory = directory
        self.patroni: dict[str, Process] = {}

    def start(self):
        client = f"http://{HUB}:2379"
        peer = "http://127.0.0.1:2380"
        Process(
            "etcd",
            ["etcd", "--data-dir", self.directory / "etcd", "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
            self.directory,
        )  # fmt: skip
        for node in NODES:
            self.start_node(node)
        # The user of bearward owns its database, and is no superuser.
        leader = self.wait_until_healthy(90)
        psql(leader, f"CREATE ROLE bearward LOGIN PASSWORD '{PASSWORD}'", "postgres", check=True)
        psql(leader, "CREATE DATABASE bearward OWNER bearward", "postgres", check=True)
        psql(leader, "CREATE TABLE answers (at timestamptz)", check=True)
        servers = [f"    server {node} {address}:5432 maxconn 100 check port 8008\n" for node, address in NODES.items()]
        configuration = self.directory / "haproxy.cfg"
        configuration.write_text(HAPROXY + "".join(servers))
        Process("haproxy", ["haproxy", "-db", "-f", configuration], self.directory)

    def start_node(self, node):
        """Starts Patroni, which creates or starts PostgreSQL."""
        address = NODES[node]
        home = self.directory / node
        if not home.exists():
            home.mkdir()
            shutil.chown(home, "postgres", "postgres")
        user = {"username": "postgres", "password": PASSWORD}
        configuration = {
            "scope": "failover",
            "name": node,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"host": f"{HUB}:2379"},
            "bootstrap": {
                # Without synchronous replication, PostgreSQL itself loses writes that it has acknowledged.
                "dcs": {**PATRONI, "synchronous_mode": True, "postgresql": {"use_pg_rewind": True}},
                "initdb": [{"encoding": "UTF8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{address}:5432",
                "connect_address": f"{address}:5432",
                "data_dir": str(home / "data"),
                "bin_dir": str(program("postgres").parent),
                "pgpass": str(home / "pgpass"),
                "authentication": {"superuser": user, "rewind": user, "replication": {**user, "username": "replicator"}},
                "parameters": {"unix_socket_directories": str(home)},
                "pg_hba": [
                    "local all all trust",
                    # A debug build takes long to compute the key of scram-sha-256, and this is no test of passwords.
                    f"host bearward bearward {NETWORK} trust",
                    f"host all all {NETWORK} scram-sha-256",
                    f"host replication replicator {NETWORK} scram-sha-256",
                ],
            },
        }
        file = self.directory / f"{node}.json"
        # JSON is YAML.
        file.write_text(json.dumps(configuration))
        # The interpreter of the distribution, whatever PATH has first.
        command = as_postgres("/usr/bin/python3", shutil.which("patroni"), file)
        self.patroni[node] = Process(node, ["ip", "netns", "exec", node, *command], self.directory)

    def kill_node(self, node):
        """Kills Patroni and PostgreSQL."""
        postmaster = self.directory / node / "data" / "postmaster.pid"
        pid = int(postmaster.read_text().splitlines()[0])
        self.patroni.pop(node).kill()
        kill_tree(pid)

    def cut_off(self, node):
        """Drops every packet from and to a node, so that nobody is told."""
        run("ip", "link", "set", node, "down")

    def reconnect(self, node):
        run("ip", "link", "set", node, "up")

    def members(self):
        """Returns the members by name, as a node that can be reached sees them."""
        for address in NODES.values():
            try:
                with urllib.request.urlopen(f"http://{address}:8008/cluster", timeout=2) as response:
                    return {member["name"]: member for member in json.load(response)["members"]}
            except (OSError, ValueError):
                continue
        return {}

    def node_with_role(self, role):
        return next((name for name, member in self.members().items() if member["role"] == role), None)

    def wait_until_healthy(self, seconds=60):
        """Waits for a leader, a synchronous standby and a third node, and returns the leader."""

        def is_healthy():
            members = self.members()
            roles = sorted(member["role"] for member in members.values())
            are_running = all(member["state"] in ("running", "streaming") for member in members.values())
            return roles == ["leader", "replica", "sync_standby"] and are_running

        wait_until(is_healthy, seconds, "the cluster is healthy")
        return self.node_with_role("leader")

    def switch_over(self, leader, candidate):
        """Asks Patroni to change the leader, and returns when it has."""
        body = json.dumps({"leader": leader, "candidate": candidate}).encode()
        request = urllib.request.Request(f"http://{NODES[leader]}:8008/switchover", data=body, method="POST")
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"switchover: {error.read().decode()}") from error

    def wait_for_new_primary(self, old, seconds=90):
        """Waits until another node answers a write, and returns it with the time of the answer."""

        def answering():
            for node in NODES:
                if node != old and psql(node, "INSERT INTO answers VALUES (now())") is not None:
                    return node, time.monotonic()
            return None

        return wait_until(answering, seconds, "a new primary answers a write")
