"""Flask with Authlib's ResourceProtector and JWTBearerTokenValidator, as in its documentation and in quickstarts."""

import json
import os
from urllib.request import urlopen

from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc7523 import JWTBearerTokenValidator
from flask import Flask
from joserfc.jwk import KeySet
from waitress import serve

keys = KeySet.import_key_set(json.loads(urlopen(os.environ["BEARWARD_CONTRACT_JWKS_URL"]).read()))
validator = JWTBearerTokenValidator(keys)
validator.claims_options = {
    "exp": {"essential": True},
    "aud": {"essential": True, "value": os.environ["BEARWARD_CONTRACT_AUDIENCE"]},
    "iss": {"essential": True, "value": os.environ["BEARWARD_CONTRACT_ISSUER"]},
}
require_auth = ResourceProtector()
require_auth.register_token_validator(validator)

app = Flask(__name__)


@app.route("/protected")
@require_auth(None)
def protected():
    return {"user_id": current_token["sub"]}


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=16)
