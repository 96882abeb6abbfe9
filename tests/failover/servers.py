"""The development IdP and the replicas of bearward."""

import http.client
import json
import os
import threading
from pathlib import Path

from processes import Process, wait_until

IDP_PORT = 9999
# Few, so that all of them can be made busy.
MAX_CONNECTIONS = 6


def call(port, method, path, token=None, body=None, headers=None, timeout=30):
    """Sends a request and returns status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = dict(headers or {})
    if token:
        headers["authorization"] = f"Bearer {token}"
    if body is not None:
        headers["content-type"] = "application/json"
        body = json.dumps(body)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def answers(port, path):
    """Returns whether the path is answered with 200."""
    try:
        return call(port, "GET", path, timeout=5)[0] == 200
    except OSError:
        return False


class Idp:
    def __init__(self, directory: Path):
        command = [os.environ["BEARWARD"], "idp", "--bind", f"127.0.0.1:{IDP_PORT}", "--alg", "ES256"]
        Process("idp", command, directory, {"PATH": os.environ["PATH"]})
        wait_until(lambda: answers(IDP_PORT, "/health"), 30, "the IdP answers")

    def token(self, subject):
        body = {"claims": {"sub": subject}, "expires_in": 3600}
        status, text = call(IDP_PORT, "POST", "/admin/tokens", body=body)
        if status >= 300:
            raise RuntimeError(f"the IdP issues no token: {status} {text}")
        return json.loads(text)["access_token"]


class Replica:
    """`bearward serve` with its default time limits."""

    def __init__(self, name, port, hosts, directory: Path):
        from cluster import PASSWORD

        self.name = name
        self.port = port
        environment = {
            "PATH": os.environ["PATH"],
            "SUPABASE_URL": f"http://127.0.0.1:{IDP_PORT}",
            "DATABASE_URL": f"postgres://bearward:{PASSWORD}@{hosts}/bearward?sslmode=disable",
            "BEARWARD_SERVER__BIND": f"127.0.0.1:{port}",
            "BEARWARD_DATABASE__MAX_CONNECTIONS": str(MAX_CONNECTIONS),
            "BEARWARD_RATE_LIMIT__ENABLED": "false",
        }
        self.process = Process(name, [os.environ["BEARWARD"], "serve"], directory, environment)
        wait_until(lambda: answers(port, "/readyz"), 60, f"{name} is ready")


class BusyRequests:
    """Requests for rows of a table that is locked: each holds a connection of its replica."""

    def __init__(self, replicas, idp: Idp):
        self.stopped = threading.Event()
        tokens = [idp.token(f"busy {number}") for number in range(MAX_CONNECTIONS + 2)]
        for replica in replicas:
            for token in tokens:
                threading.Thread(target=self.repeat, args=(replica.port, token), daemon=True).start()

    def repeat(self, port, token):
        """Repeats the request, because the replica ends those that wait for longer than its lock timeout."""
        while not self.stopped.is_set():
            try:
                call(port, "GET", "/api/auth/me", token)
            except OSError:
                pass
