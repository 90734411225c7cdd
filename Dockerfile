# One image with all programs of Noren. The back ends are chosen when it runs, by variables.

FROM rust:1.95.0-slim-bookworm AS base
WORKDIR /src

# Only what dependencies are made from. This is made again with every change, but what comes out of it is mostly the
# same, and the next stage sees only that.
FROM base AS manifests
COPY . .
RUN sh docker/keep-manifests.sh .

FROM base AS build
COPY --from=manifests /src .
RUN cargo build --release --locked --workspace --bins
COPY . .
# Sources may be older than the empty ones that were built above, and would not be built then.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --workspace --bins \
    && mkdir -p /out/bin /out/data \
    && for program in noren noren-command noren-query noren-sync; do \
         strip -o /out/bin/$program target/release/$program; \
       done

# glibc and the roots of TLS; no shell and no package manager. It runs as a user without rights, 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/bin/ /usr/local/bin/
COPY LICENSE-MIT LICENSE-APACHE THIRD_PARTY_LICENSES /usr/share/doc/noren/
# A new named volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/data /data
ENV NOREN_LISTEN=0.0.0.0:8080 NOREN_DATA_DIR=/data
EXPOSE 8080
CMD ["noren", "serve"]
