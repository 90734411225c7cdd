#!/usr/bin/env bash
# Builds a release: an archive for each target, with its bill of materials, and SHA256SUMS, in dist/.
#
#   release/build.sh                                   all targets of release/targets
#   release/build.sh x86_64-unknown-linux-musl         one of them
#   release/build.sh --programs target/debug TARGET    pack programs that are built already
#
# It needs rustup and Python 3.11 or later. zig is the C compiler and linker for every target; it and cargo-zigbuild are
# installed into a cache outside the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=${RELEASE_DIST:-dist}
tools=${XDG_CACHE_HOME:-$HOME/.cache}/noren-release
cargo_zigbuild_version=0.24.1
ziglang_version=0.17.1
programs=(noren noren-command noren-sync noren-query)

built=
if [[ ${1:-} == --programs ]]; then
    built=$2
    shift 2
fi
targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then mapfile -t targets <release/targets; fi

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
# Programs name the commit that they are built from; a source archive has no repository that tells it.
# It is not exported, because programs refuse variables that they do not know.
commit=${NOREN_COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}
unset NOREN_COMMIT
# Equal sources and tools make equal archives.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
if [[ -n $(git status --porcelain 2>/dev/null || true) ]]; then
    echo "warning: the working tree has changes that commit $commit does not have" >&2
fi
echo "noren $version, commit ${commit:-unknown}: ${targets[*]}"

# Compiles the programs for a target, and prints their folder.
compile() {
    local target=$1 venv=$tools/zigbuild-$cargo_zigbuild_version-$ziglang_version
    if [[ ! -e $venv/complete ]]; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet "cargo-zigbuild==$cargo_zigbuild_version" "ziglang==$ziglang_version"
        touch "$venv/complete"
    fi
    rustup target add "$target" >&2
    # cargo-zigbuild finds zig as a module of the first Python on the path.
    PATH=$venv/bin:$PATH NOREN_COMMIT=$commit CARGO_PROFILE_RELEASE_STRIP=symbols cargo zigbuild --release --locked --workspace --bins \
        --features noren/aws --target "$target" >&2
    echo "${CARGO_TARGET_DIR:-target}/$target/release"
}

# Fails if a program for musl needs a dynamic linker, which other distributions do not have.
check_static() {
    local target=$1 program=$2 headers
    [[ $target == *-musl ]] || return 0
    headers=$(readelf --wide --program-headers "$program")
    if [[ $headers == *INTERP* ]]; then
        echo "error: $program is not static" >&2
        return 1
    fi
}

# Completions are the same on every target, so any program that runs here can write them.
completions() {
    local noren=$1 folder=$2
    mkdir -p "$dist/completions"
    if "$noren" completions bash >"$dist/completions/new"; then
        mv "$dist/completions/new" "$dist/completions/noren.bash"
        "$noren" completions zsh >"$dist/completions/_noren"
        "$noren" completions fish >"$dist/completions/noren.fish"
    elif [[ ! -s $dist/completions/noren.fish ]]; then
        echo "error: $noren does not run here and writes no completions; name the target of this machine first" >&2
        return 1
    fi
    rm -f "$dist/completions/new"
    cp -r "$dist/completions" "$folder/completions"
}

# Packs the programs in a folder as the archive of a target.
pack() {
    local target=$1 from=$2 name=noren-$version-$1
    local folder=$dist/$name
    rm -rf "$folder"
    mkdir -p "$folder"
    for program in "${programs[@]}"; do
        check_static "$target" "$from/$program"
        install -m 755 "$from/$program" "$folder/$program"
    done
    completions "$folder/noren" "$folder"
    cp -r README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE THIRD_PARTY_LICENSES docs "$folder/"
    python3 release/third_party.py sbom "$target" >"$folder/noren.cdx.json"
    cp "$folder/noren.cdx.json" "$dist/$name.cdx.json"
    tar --directory "$dist" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$epoch" \
        --create "$name" \
        | gzip --no-name >"$dist/$name.tar.gz"
    rm -rf "$folder"
    echo "$dist/$name.tar.gz: $(du -h "$dist/$name.tar.gz" | cut -f1)"
}

release/check-licenses
mkdir -p "$dist"
rm -rf "$dist/completions"
for target in "${targets[@]}"; do
    folder=${built:-$(compile "$target")}
    pack "$target" "$folder"
done
rm -rf "$dist/completions"
(cd "$dist" && sha256sum -- *"-$version-"*.tar.gz *"-$version-"*.cdx.json >SHA256SUMS)
echo "$dist/SHA256SUMS: $(wc -l <"$dist/SHA256SUMS") files"
