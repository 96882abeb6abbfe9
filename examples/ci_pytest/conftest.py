"""`idp`: the identity provider of the tests, and `client`: the service that trusts it.

In CI it is a service beside the job, and IDP_URL says where. On a developer's machine it is started here: `bearward` on the PATH, or BEARWARD.
"""

import os
import socket
import subprocess
import time

import httpx2
import pytest


class Idp:
    """The admin API of `bearward idp`: `curl $IDP_URL` lists all of it."""

    def __init__(self, url: str):
        self.url = url
        self.http = httpx2.Client(base_url=url)

    def token(self, **wish) -> str:
        """claims={"sub": "ada"}, expires_in=-60, forge="tampered", all optional."""
        return self.ask("POST", "/admin/tokens", wish)["access_token"]

    def rotate(self) -> None:
        self.ask("POST", "/admin/keys/rotate", {})

    def fault(self, **fault) -> None:
        """status=503 until `recover()`, delay_ms=2000, hang=True and the like, of the key endpoint."""
        self.ask("PUT", "/admin/faults", fault)

    def recover(self) -> None:
        self.http.delete("/admin/faults").raise_for_status()

    def ask(self, method: str, path: str, body: dict) -> dict:
        answer = self.http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session")
def idp_url():
    if url := os.environ.get("IDP_URL"):
        yield url
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([os.environ.get("BEARWARD", "bearward"), "idp", "--bind", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def running(idp_url):
    idp = Idp(idp_url)
    deadline = time.monotonic() + 30
    while True:
        try:
            idp.http.get("/health").raise_for_status()
            return idp
        except httpx2.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture
def idp(running):
    yield running
    running.recover()


@pytest.fixture(scope="session")
def client(running):
    from fastapi.testclient import TestClient

    os.environ |= {"SUPABASE_URL": running.url, "JWKS_COOLDOWN": "0"}
    from service import app

    return TestClient(app)
