#!/bin/sh
# Leaves of a workspace in $1 what decides which dependencies are built and how: the manifests and the lock file, with
# empty sources where cargo wants some. Built first, it is a layer of the image that changes only when those do.
set -eu
cd "$1"

find . -type f ! -name Cargo.toml ! -name Cargo.lock -delete
find . -type d -empty -delete
find . -name Cargo.toml | while read -r manifest; do
    grep -q '^\[package\]' "$manifest" || continue
    package=$(dirname "$manifest")
    # What the manifest names by a path; else cargo's own places.
    paths=$(sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest")
    for source in src/lib.rs $paths; do
        mkdir -p "$package/$(dirname "$source")"
        case $source in
            *main.rs) echo 'fn main() {}' ;;
            *) echo ;;
        esac >"$package/$source"
    done
done
