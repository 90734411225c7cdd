#!/bin/sh
# Reduces the workspace in $1 to the files that determine its dependencies: the manifests and the lock file, with empty
# sources where cargo requires some. Building the result first gives an image layer that changes only with these files.
set -eu
cd "$1"

find . -type f ! -name Cargo.toml ! -name Cargo.lock -delete
find . -type d -empty -delete
find . -name Cargo.toml | while read -r manifest; do
    grep -q '^\[package\]' "$manifest" || continue
    package=$(dirname "$manifest")
    # The paths in the manifest, and cargo's default path.
    paths=$(sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest")
    for source in src/lib.rs $paths; do
        mkdir -p "$package/$(dirname "$source")"
        case $source in
            *lib.rs) echo ;;
            *) echo 'fn main() {}' ;;
        esac >"$package/$source"
    done
done
