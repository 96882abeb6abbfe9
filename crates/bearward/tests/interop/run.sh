#!/bin/sh
# Cross-check with PyJWT, both ways. Further arguments go to cargo, for example the features that CI has built already:
#   tests/interop/run.sh --all-features
set -eu
cd "$(dirname "$0")/../../../.."
venv=${BEARWARD_INTEROP_VENV:-target/interop-venv}
python=$venv/bin/python
wanted=crates/bearward/tests/interop/requirements.txt

if ! cmp -s "$wanted" "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/requirements.txt"
fi
BEARWARD_INTEROP_PYTHON=$(cd "$(dirname "$python")" && pwd)/python
export BEARWARD_INTEROP_PYTHON
exec cargo test "$@" -p bearward --test verify -- interop::
