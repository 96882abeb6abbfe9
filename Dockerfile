# The server for production, without the development IdP:             docker build -t bearward .
# The quick start with the development IdP, for development only:       docker build -t bearward-dev --target dev .
FROM rust:1.95-slim-bookworm AS source
# Use the image's compiler instead of the one in rust-toolchain.toml.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_INCREMENTAL=0
WORKDIR /src
COPY . .
# The commit that --version names: --build-arg BEARWARD_COMMIT=$(git rev-parse HEAD)
ARG BEARWARD_COMMIT
ENV BEARWARD_COMMIT=$BEARWARD_COMMIT

FROM source AS build
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target,id=bearward-release \
    cargo build --locked --release --package bearward-server --no-default-features --bin bearward \
    && cp target/release/bearward /usr/local/bin/bearward

FROM source AS build-dev
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target,id=bearward-dev \
    cargo build --locked --release --bin bearward \
    && cp target/release/bearward /usr/local/bin/bearward

FROM debian:bookworm-slim AS base
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bearward \
    && install --directory --owner=bearward --mode=0700 /data
WORKDIR /data
USER 10001
VOLUME /data
EXPOSE 8000
# The address only: platforms set the port in PORT, and it is 8000 without it.
ENV BEARWARD_SERVER__BIND=0.0.0.0
ENTRYPOINT ["bearward"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["bearward", "health"]

FROM base AS dev
COPY --from=build-dev /usr/local/bin/bearward /usr/local/bin/bearward
EXPOSE 9999
# The IdP accepts remote clients because it cannot see which ports are published. Publish them to 127.0.0.1 only.
CMD ["dev", "--idp-bind", "0.0.0.0:9999", "--dangerous-allow-remote", "--data", "/data"]

FROM base AS release
COPY --from=build /usr/local/bin/bearward /usr/local/bin/bearward
ENV DATABASE_URL=sqlite:///data/bearward.db BEARWARD_TELEMETRY__FORMAT=json
CMD ["serve"]
