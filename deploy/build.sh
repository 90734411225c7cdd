#!/usr/bin/env bash
# Builds the three functions, each with only the back ends that it needs on AWS. The programs are written to
# target/functions/NAME/bootstrap, where template.yaml expects them, and to target/functions/NAME.zip for Terraform, if
# there is Python.
#
#   deploy/build.sh            builds for arm64, as in the template
#   deploy/build.sh x86_64
#
# cargo-lambda builds for any architecture; cargo alone builds for the architecture of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

architecture=${1:-arm64}
case $architecture in
    arm64) machine=aarch64 ;;
    x86_64) machine=x86_64 ;;
    *) echo "error: $architecture is not an architecture of Lambda; use arm64 or x86_64" >&2; exit 2 ;;
esac
# The glibc version of Amazon Linux 2023. Programs linked with a later one do not start there.
glibc=2.34

for service in command query sync; do
    program=noren-$service
    folder=target/functions/$program
    options=(--locked --package "$service" --bin "$program" --profile lambda --no-default-features --features aws)
    if cargo lambda --version >/dev/null 2>&1; then
        cargo lambda build "${options[@]}" --lambda-dir target/functions --"${architecture/_/-}"
    elif [[ $(uname -sm) == "Linux $machine" ]]; then
        cargo build "${options[@]}"
        mkdir -p "$folder"
        cp "target/lambda/$program" "$folder/bootstrap"
    else
        echo "error: building for $architecture on this machine needs cargo-lambda; pip install cargo-lambda" >&2
        exit 1
    fi
    newest=$(grep -aoE 'GLIBC_2\.[0-9]+' "$folder/bootstrap" | sort -uV | tail -n 1)
    if [[ $(printf '%s\n' "GLIBC_$glibc" "$newest" | sort -V | tail -n 1) != "GLIBC_$glibc" ]]; then
        echo "error: $program needs $newest, and Lambda has $glibc; build with cargo-lambda" >&2
        exit 1
    fi
    # SAM packs the folder itself.
    if command -v python3 >/dev/null; then
        python3 -m zipfile --create "$folder.zip" "$folder/bootstrap"
    fi
    echo "$folder/bootstrap: $(gzip -9 -c "$folder/bootstrap" | wc -c) bytes compressed"
done
