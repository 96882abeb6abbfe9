"""Fixtures: `idp`, the identity provider, and `client`, the service that trusts it.

With IDP_URL, the fixtures use a running IdP, as in CI. Otherwise they start `bearward` from the PATH, or the program that BEARWARD names.
"""

import os
import socket
import subprocess
import time

import httpx2
import pytest


class Idp:
    """The admin API of `bearward idp`; `curl $IDP_URL` lists it."""

    def __init__(self, url: str):
        self.url = url
        self.http = httpx2.Client(base_url=url)

    def token(self, **options) -> str:
        """Issues a token. Options: claims={"sub": "ada"}, expires_in=-60, forge="tampered"."""
        return self.request("POST", "/admin/tokens", options)["access_token"]

    def rotate(self) -> None:
        self.request("POST", "/admin/keys/rotate", {})

    def fault(self, **fault) -> None:
        """Simulates a failure of the JWKS endpoint until `recover()`: status=503, delay_ms=2000, hang=True, …"""
        self.request("PUT", "/admin/faults", fault)

    def recover(self) -> None:
        self.http.delete("/admin/faults").raise_for_status()

    def request(self, method: str, path: str, body: dict) -> dict:
        response = self.http.request(method, path, json=body)
        response.raise_for_status()
        return response.json()


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
