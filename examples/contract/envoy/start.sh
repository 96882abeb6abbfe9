# shellcheck shell=sh
# Starts Envoy with a configuration for this run.
authority=${BEARWARD_CONTRACT_BASE#*://}
sed -e "s|LISTEN_PORT|$PORT|; s|IDP_PORT|${authority##*:}|; s|JWKS_URL|$BEARWARD_CONTRACT_JWKS_URL|; s|ISSUER|$BEARWARD_CONTRACT_ISSUER|; s|AUDIENCE|$BEARWARD_CONTRACT_AUDIENCE|" \
  "$PEER_SOURCE/envoy.yaml" >"$PEER_WORK/envoy.yaml"
exec "$PEER_WORK/venv/bin/envoy" --config-path "$PEER_WORK/envoy.yaml" --log-level error --concurrency 1 --disable-hot-restart
