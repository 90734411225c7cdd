# One image with all programs of Noren. The back ends are chosen when it runs, by variables.

ARG RUST_IMAGE=rust:1.95.0-slim-trixie
FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
# What `noren --version` names, because the context has no repository: --build-arg NOREN_COMMIT=$(git rev-parse HEAD)
ARG NOREN_COMMIT
# Dependencies are downloaded and compiled into caches of BuildKit, which outlive a change of sources and manifests.
# Sources may be older than the programs in the cache, for example in a second checkout, so all are marked as changed.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --workspace --bins \
    && mkdir -p /out/bin /out/data \
    && for program in noren noren-command noren-query noren-sync; do \
         strip -o /out/bin/$program target/release/$program; \
       done

# glibc and the roots of TLS; no shell and no package manager. It runs as a user without rights, 65532.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /out/bin/ /usr/local/bin/
COPY LICENSE-MIT LICENSE-APACHE THIRD_PARTY_LICENSES /usr/share/doc/noren/
# A new named volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/data /data
# At this address a service starts only with NOREN_ACCESS: docs/CONTAINERS.md.
ENV NOREN_LISTEN=0.0.0.0:8080 NOREN_DATA_DIR=/data
EXPOSE 8080
CMD ["noren", "serve"]
