"""Verifies tokens of bearward with PyJWT and creates tokens with PyJWT. Reads and writes one JSON document.

    peer.py verify  {issuer, audience, jwks, tokens: [{name, alg, token}]}  ->  {name: null or the error class}
    peer.py mint    {issuer, audience}                                      ->  {jwks, tokens: [{name, token, code}]}

`code` is the error code that bearward must return, or null if it must accept the token.
"""

import hashlib
import hmac
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode


def verify(case):
    keys = jwt.PyJWKSet.from_dict(case["jwks"])

    def error_class(entry):
        try:
            kid = jwt.get_unverified_header(entry["token"])["kid"]
            claims = jwt.decode(
                entry["token"],
                keys[kid],
                algorithms=[entry["alg"]],
                audience=case["audience"],
                issuer=case["issuer"],
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            return None if claims["sub"] == entry["name"] else "WrongSubject"
        except (jwt.PyJWTError, KeyError) as error:
            return type(error).__name__

    return {entry["name"]: error_class(entry) for entry in case["tokens"]}


def mint(case):
    now = int(time.time())
    rsa_key, foreign_key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    private = {alg: rsa_key for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")}
    private["ES256"] = ec.generate_private_key(ec.SECP256R1())
    private["ES384"] = ec.generate_private_key(ec.SECP384R1())
    private["EdDSA"] = ed25519.Ed25519PrivateKey.generate()
    private["ES512"] = ec.generate_private_key(ec.SECP521R1())
    unsupported = {"ES256K": ec.generate_private_key(ec.SECP256K1())}

    def jwk(alg, key):
        family = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else OKPAlgorithm if alg == "EdDSA" else ECAlgorithm
        return {**family.to_jwk(key.public_key(), as_dict=True), "kid": f"py-{alg}", "alg": alg, "use": "sig"}

    def token(alg="RS256", key=None, headers=None, without=(), **changes):
        claims = {"iss": case["issuer"], "aud": case["audience"], "sub": "py", "iat": now - 5, "exp": now + 600, **changes}
        claims = {name: value for name, value in claims.items() if name not in without}
        return jwt.encode(claims, key or private[alg], algorithm=alg, headers={"kid": f"py-{alg}", **(headers or {})})

    def hmac_token(secret, alg="HS256"):
        payload = token().split(".")[1]
        header = base64url_encode(json.dumps({"alg": alg, "kid": "py-RS256"}).encode()).decode()
        signed = f"{header}.{payload}"
        return f"{signed}.{base64url_encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).decode()}"

    pem = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    valid = token("ES256")
    header, payload, signature = valid.split(".")
    detached = jwt.PyJWS().encode(
        b"{}", private["RS256"], algorithm="RS256", headers={"kid": "py-RS256", "b64": False}, is_payload_detached=True
    )

    accepted = {
        **{f"{alg} default": token(alg) for alg in private},
        "list of audiences": token("ES256", aud=["other", case["audience"]]),
        "fractional dates": token("ES256", exp=now + 600.5, iat=now - 5.25, nbf=now - 0.5),
        "typ at+jwt": token("ES256", headers={"typ": "at+jwt"}),
        "escapes and non-Latin scripts": token("EdDSA", sub="py", name="B\u00e4r \"\\/\n\u718a"),
        "unknown header member": token("ES256", headers={"x": {"y": [1]}}),
    }
    rejected = {
        "expired": ("TOKEN_EXPIRED", token("ES256", exp=now - 600)),
        "not yet valid": ("TOKEN_NOT_YET_VALID", token("ES256", nbf=now + 600)),
        "issued in the future": ("TOKEN_NOT_YET_VALID", token("ES256", iat=now + 86400, exp=now + 90000)),
        "other audience": ("INVALID_AUDIENCE", token("ES256", aud="other")),
        "audience split into characters": ("INVALID_AUDIENCE", token("ES256", aud=list(case["audience"]))),
        "other issuer": ("UNKNOWN_ISSUER", token("ES256", iss=case["issuer"] + "/")),
        "without aud": ("MISSING_CLAIM", token("ES256", without=["aud"])),
        "without exp": ("MISSING_CLAIM", token("ES256", without=["exp"])),
        "without sub": ("MISSING_CLAIM", token("ES256", without=["sub"])),
        "without iss": ("MISSING_CLAIM", token("ES256", without=["iss"])),
        "empty sub": ("INVALID_CLAIM", token("ES256", sub="")),
        "sender-constrained": ("INVALID_CLAIM", token("ES256", cnf={"jkt": "x"})),
        "signed by another key": ("INVALID_SIGNATURE", token("RS256", key=foreign_key)),
        "kid of another algorithm": ("UNKNOWN_KEY", token("RS256", headers={"kid": "py-PS256"})),
        "unknown kid": ("UNKNOWN_KEY", token("ES256", headers={"kid": "unknown"})),
        "other typ": ("INVALID_TOKEN_TYPE", token("ES256", headers={"typ": "logout+jwt"})),
        "with crit": ("MALFORMED_TOKEN", token("ES256", headers={"crit": ["x"], "x": 1})),
        "unsigned": ("MALFORMED_TOKEN", jwt.encode({"iss": case["issuer"]}, "", algorithm="none")),
        "detached payload": ("MALFORMED_TOKEN", detached),
        "HMAC with the public key": ("UNSUPPORTED_ALGORITHM", hmac_token(pem)),
        "HMAC with the public key and alg RS256": ("INVALID_SIGNATURE", hmac_token(pem, "RS256")),
        "HMAC": ("UNSUPPORTED_ALGORITHM", token("HS256", key="a secret of thirty-two bytes, and more")),
        **{alg: ("UNSUPPORTED_ALGORITHM", token(alg, key=key)) for alg, key in unsupported.items()},
        "padded": ("MALFORMED_TOKEN", valid + "=="),
        "other payload": ("INVALID_SIGNATURE", f"{header}.{token('ES256', sub='x').split('.')[1]}.{signature}"),
        "truncated signature": ("INVALID_SIGNATURE", f"{header}.{payload}.{signature[:42]}A"),
    }
    keys = [jwk(alg, key) for alg, key in {**private, **unsupported}.items()]
    tokens = [{"name": name, "token": text, "code": None} for name, text in accepted.items()]
    tokens += [{"name": name, "token": text, "code": code} for name, (code, text) in rejected.items()]
    return {"jwks": {"keys": keys}, "tokens": tokens}


if __name__ == "__main__":
    json.dump({"verify": verify, "mint": mint}[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
