#!/bin/sh
# Tests interoperability with PyJWT in both directions. Installs PyJWT in target/interop-venv.
# BEARWARD_INTEROP_VENV names another virtual environment.
set -eu
cd "$(dirname "$0")/../../../.."
venv=${BEARWARD_INTEROP_VENV:-target/interop-venv}
python=$venv/bin/python
requirements=crates/bearward/tests/interop/requirements.txt

if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/requirements.txt"
fi
BEARWARD_INTEROP_PYTHON=$(cd "$(dirname "$python")" && pwd)/python
export BEARWARD_INTEROP_PYTHON
exec cargo test --locked --test verify -- interop::
