import pytest


def as_bearer(token: str) -> dict:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_the_owner_of_a_token_sees_their_orders(idp, client):
    answer = client.get("/orders", **as_bearer(idp.token(claims={"sub": "ada"})))
    assert (answer.status_code, answer.json()) == (200, {"of": "ada"})


def test_nobody_without_a_token_sees_any(client):
    assert client.get("/orders").status_code == 401


@pytest.mark.parametrize(
    "wish",
    [
        {"expires_in": -60},
        {"claims": {"aud": "somebody-else"}},
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
def test_a_bad_token_is_refused(idp, client, wish):
    assert client.get("/orders", **as_bearer(idp.token(**wish))).status_code == 401


def test_only_admins_delete(idp, client):
    admin = idp.token(claims={"app_metadata": {"role": "admin"}})
    assert client.delete("/orders", **as_bearer(admin)).status_code == 200
    assert client.delete("/orders", **as_bearer(idp.token())).status_code == 403


def test_nobody_notices_a_rotation(idp, client):
    before = idp.token()
    assert client.get("/orders", **as_bearer(before)).status_code == 200
    idp.rotate()
    assert client.get("/orders", **as_bearer(idp.token())).status_code == 200
    assert client.get("/orders", **as_bearer(before)).status_code == 200


def test_who_is_signed_in_stays_in_during_an_outage(idp, client):
    token = idp.token()
    assert client.get("/orders", **as_bearer(token)).status_code == 200
    idp.fault(status=503)
    assert client.get("/orders", **as_bearer(token)).status_code == 200
