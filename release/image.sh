#!/usr/bin/env bash
# Makes the image noren:VERSION of the archives that release/build.sh has left in dist/, for each of their architectures.
#
#   release/image.sh           with docker buildx: all architectures, as dist/noren-VERSION.oci.tar
#   release/image.sh --load    the architecture of this machine, into the engine's own images
set -euo pipefail
cd "$(dirname "$0")/.."
dist=${RELEASE_DIST:-dist}
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

declare -A targets=([amd64]=x86_64-unknown-linux-musl [arm64]=aarch64-unknown-linux-musl)
platforms=()
mkdir "$context/data"
for architecture in "${!targets[@]}"; do
    name=noren-$version-${targets[$architecture]}
    [[ -e $dist/$name.tar.gz ]] || continue
    mkdir -p "$context/$architecture/bin" "$context/$architecture/share"
    tar --extract --gzip --file "$dist/$name.tar.gz" --directory "$context/$architecture"
    folder=$context/$architecture/$name
    mv "$folder"/noren "$folder"/noren-{command,query,sync} "$context/$architecture/bin/"
    mv "$folder"/LICENSE-* "$folder"/{THIRD_PARTY_LICENSES,CHANGELOG.md,noren.cdx.json} "$context/$architecture/share/"
    rm -r "$folder"
    platforms+=("linux/$architecture")
done
if [[ ${#platforms[@]} == 0 ]]; then
    echo "error: $dist has no archive of version $version for Linux; run release/build.sh first" >&2
    exit 1
fi

if [[ ${1:-} == --load ]]; then
    machine=$(uname -m)
    case $machine in
        x86_64) architecture=amd64 ;;
        aarch64) architecture=arm64 ;;
        *) echo "error: there is no archive for $machine" >&2; exit 1 ;;
    esac
    docker build --file release/Dockerfile --build-arg "TARGETARCH=$architecture" --tag "noren:$version" "$context"
    echo "noren:$version: linux/$architecture, in the engine"
else
    list=$(IFS=,; echo "${platforms[*]}")
    docker buildx build --file release/Dockerfile --platform "$list" --tag "noren:$version" \
        --output "type=oci,dest=$dist/noren-$version.oci.tar" "$context"
    (cd "$dist" && sha256sum -- *"-$version"*.tar.gz *"-$version"*.cdx.json "noren-$version.oci.tar" >SHA256SUMS)
    echo "$dist/noren-$version.oci.tar: $list"
fi
