"""FastAPI with PyJWT's PyJWKClient, as in the PyJWT documentation."""

import os

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ["BEARWARD_CONTRACT_ISSUER"]
AUDIENCE = os.environ["BEARWARD_CONTRACT_AUDIENCE"]

app = FastAPI()
keys = jwt.PyJWKClient(os.environ["BEARWARD_CONTRACT_JWKS_URL"])


def claims(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> dict:
    try:
        key = keys.get_signing_key_from_jwt(credentials.credentials)
        return jwt.decode(credentials.credentials, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"})


@app.get("/protected")
def protected(user: dict = Depends(claims)) -> dict:
    return {"user_id": user["sub"]}
