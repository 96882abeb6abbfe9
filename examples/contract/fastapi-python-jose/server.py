"""FastAPI with python-jose, as in common quickstarts: the key set is fetched on each request."""

import json
import os
from urllib.request import urlopen

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt

ISSUER = os.environ["BEARWARD_CONTRACT_ISSUER"]
AUDIENCE = os.environ["BEARWARD_CONTRACT_AUDIENCE"]
JWKS_URL = os.environ["BEARWARD_CONTRACT_JWKS_URL"]

app = FastAPI()


def claims(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> dict:
    token = credentials.credentials
    try:
        header = jwt.get_unverified_header(token)
        jwks = json.loads(urlopen(JWKS_URL).read())
        for key in jwks["keys"]:
            if key.get("kid") == header.get("kid"):
                return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except JWTError:
        pass
    raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"})


@app.get("/protected")
def protected(user: dict = Depends(claims)) -> dict:
    return {"user_id": user["sub"]}
