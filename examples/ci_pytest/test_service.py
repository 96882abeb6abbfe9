import pytest


def as_bearer(token: str) -> dict:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_returns_the_orders_of_the_caller(idp, client):
    response = client.get("/orders", **as_bearer(idp.token(claims={"sub": "ada"})))
    assert (response.status_code, response.json()) == (200, {"of": "ada"})


def test_rejects_requests_without_a_token(client):
    assert client.get("/orders").status_code == 401


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in": -60},
        {"claims": {"aud": "another-service"}},
        {"claims": {"iss": "https://elsewhere.example"}},
        {"forge": "tampered"},
        {"forge": "signed_by_stranger"},
        {"forge": "alg_none"},
        {"forge": "hmac_with_public_key"},
        {"forge": "stripped_signature"},
        {"forge": "embedded_jwk"},
    ],
    ids=str,
)
def test_rejects_invalid_tokens(idp, client, options):
    assert client.get("/orders", **as_bearer(idp.token(**options))).status_code == 401


def test_only_admins_delete(idp, client):
    admin = idp.token(claims={"app_metadata": {"role": "admin"}})
    assert client.delete("/orders", **as_bearer(admin)).status_code == 200
    assert client.delete("/orders", **as_bearer(idp.token())).status_code == 403


def test_accepts_tokens_across_a_rotation(idp, client):
    before = idp.token()
    assert client.get("/orders", **as_bearer(before)).status_code == 200
    idp.rotate()
    assert client.get("/orders", **as_bearer(idp.token())).status_code == 200
    assert client.get("/orders", **as_bearer(before)).status_code == 200


def test_accepts_tokens_during_an_outage(idp, client):
    token = idp.token()
    assert client.get("/orders", **as_bearer(token)).status_code == 200
    idp.fault(status=503)
    assert client.get("/orders", **as_bearer(token)).status_code == 200
