"""The service under test: FastAPI with PyJWT. Only SUPABASE_URL differs between tests and production."""

import os

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ["SUPABASE_URL"] + "/auth/v1"

app = FastAPI()
# The minimum time between two fetches of the keys; 0 in the tests.
keys = jwt.PyJWKClient(ISSUER + "/.well-known/jwks.json", cooldown_duration=float(os.environ.get("JWKS_COOLDOWN", 30)))


def user(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> dict:
    try:
        key = keys.get_signing_key_from_jwt(credentials.credentials)
        return jwt.decode(credentials.credentials, key, algorithms=["RS256"], audience="authenticated", issuer=ISSUER)
    except jwt.PyJWTError:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"})


@app.get("/orders")
def orders(user: dict = Depends(user)) -> dict:
    return {"of": user["sub"]}


@app.delete("/orders")
def delete_orders(user: dict = Depends(user)) -> dict:
    if user.get("app_metadata", {}).get("role") != "admin":
        raise HTTPException(403, "Admins only")
    return {"deleted": True}
