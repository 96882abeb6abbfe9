"""Clients of the replicas: writers, readers of a protected route, and a reader of the readiness probe."""

import threading
import time
from dataclasses import dataclass, field

from servers import Idp, Replica, call

WRITERS = 4
# A balancer or a client waits for longer; a response after this time counts as missing.
PROTECTED_TIMEOUT = 5


@dataclass
class Event:
    """A request: its time, and the status of its response (0: none)."""

    start: float
    end: float
    status: int


@dataclass
class Recorded:
    """The requests to one replica."""

    writes: list[Event] = field(default_factory=list)
    protected: list[Event] = field(default_factory=list)
    readiness: list[Event] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)


class Load:
    """Sends requests to the replicas until it is stopped."""

    def __init__(self, name, replicas: list[Replica], idp: Idp):
        self.name = name
        self.recorded = {replica.name: Recorded() for replica in replicas}
        self.stopped = threading.Event()
        self.threads = []
        token = idp.token("reader")
        for replica in replicas:
            recorded = self.recorded[replica.name]
            for number in range(WRITERS):
                self.start(self.write, replica, recorded, number, idp.token(f"writer {number}"))
            self.start(self.read, replica, "/protected", token, 0.05, recorded.protected)
            self.start(self.read, replica, "/readyz", None, 0.2, recorded.readiness)

    def start(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def write(self, replica, recorded, writer, token):
        """Writes one name after the other. A write without acknowledgement is repeated with its idempotency key."""
        number = 0
        while not self.stopped.wait(0.1):
            name = f"{self.name} {replica.name} {writer} {number}"
            body, headers = {"client_name": name}, {"idempotency-key": name.replace(" ", "-")}
            event = send(replica.port, "POST", "/api/status", token, body, headers)
            recorded.writes.append(event)
            if event.status == 201:
                recorded.acknowledged.append(name)
                number += 1

    def read(self, replica, path, token, pause, events):
        while not self.stopped.wait(pause):
            events.append(send(replica.port, "GET", path, token, timeout=PROTECTED_TIMEOUT))

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(40)
        if any(thread.is_alive() for thread in self.threads):
            raise RuntimeError("a request was not answered within 40 s")


def send(port, method, path, token, body=None, headers=None, timeout=30):
    start = time.monotonic()
    try:
        status, _ = call(port, method, path, token, body, headers, timeout)
    except OSError:
        status = 0
    return Event(start, time.monotonic(), status)
