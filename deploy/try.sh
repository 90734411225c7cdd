#!/usr/bin/env bash
# Deploys the template to an emulator of AWS on this machine, without an account, and serves its API on a local port.
# Needs Python 3.10 or later, and Java 21 with Maven or a Docker engine for OpenSearch.
#
#   deploy/build.sh x86_64 && deploy/try.sh        with the functions that would be deployed
#   deploy/try.sh --programs target/debug          with other builds of the three programs
#   deploy/try.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${XDG_CACHE_HOME:-$HOME/.cache}/noren-ci
ministack_version=1.5.33

# A virtual environment, marked as complete at the end of its installation. It has boto3 and SAM's translator, too.
ministack=$tools/ministack-$ministack_version
if [[ ! -e $ministack/complete ]]; then
    echo "installing ministack $ministack_version, the emulator, into $ministack" >&2
    rm -rf "$ministack"
    python3 -m venv "$ministack"
    "$ministack/bin/python" -m pip install --quiet "ministack[full]==$ministack_version"
    touch "$ministack/complete"
fi
# Without compiled files in the sources.
exec "$ministack/bin/python" -B deploy/try "$@"
