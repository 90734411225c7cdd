"""Deploys template.yaml to an emulator of AWS on this machine. See ../try.sh."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from checks import check
from gateway import Gateway
from servers import Failure, start_emulator, start_opensearch
from stack import Stack

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("noren-command", "noren-query", "noren-sync")


def arguments():
    parser = argparse.ArgumentParser(prog="deploy/try.sh", description=__doc__)
    parser.add_argument(
        "--programs", type=Path, default=ROOT / "target/functions",
        help="folder with the programs, built by deploy/build.sh for this machine or by cargo (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=8090, help="port of the API (default: %(default)s)")
    parser.add_argument("--opensearch", help="address of a running OpenSearch, instead of starting one")
    parser.add_argument("--check", action="store_true", help="check the deployed stack, then stop")
    return parser.parse_args()


def found_programs(folder):
    """Returns the path of each program, as deploy/build.sh or as cargo names it."""
    programs = {}
    for name in PROGRAMS:
        candidates = [folder / name / "bootstrap", folder / name]
        program = next((path for path in candidates if path.is_file()), None)
        if program is None:
            raise Failure(f"there is no {name} in {folder}; run deploy/build.sh, or name a folder with --programs")
        programs[name] = program
    return programs


def run(options, folder):
    programs = found_programs(options.programs)
    begun = time.monotonic()
    processes = []
    try:
        opensearch = None
        # The version that the template names, so that the functions run on what would be deployed.
        if options.opensearch is None:
            opensearch = start_opensearch(ROOT / "deploy/template.yaml", folder, processes)
        address = options.opensearch or opensearch.url
        emulator = start_emulator(folder, processes)
        stack = Stack(emulator.url, ROOT / "deploy/template.yaml")
        stack.upload(programs, folder)
        if options.check:
            stack.deploy_with_domain()
        stack.deploy(address, asks_for_keys=options.check)
        print(f"the stack is up after {time.monotonic() - begun:.0f} s, on OpenSearch at {address}")
        with Gateway(stack, 0 if options.check else options.port) as gateway:
            if options.check:
                check(stack, gateway, opensearch)
                print(f"all checks passed after {time.monotonic() - begun:.0f} s")
            else:
                print(f"""
the API is at {gateway.url}; unlike on AWS it asks for neither signatures nor keys:

  curl {gateway.url}/products -H 'content-type: application/json' -d '{{"name": "Teapot"}}'
  curl '{gateway.url}/products/search?query=teapto'

the emulated AWS is at {emulator.url}; Ctrl-C stops everything and removes the data""")
                signal.pause()
    finally:
        for process in reversed(processes):
            process.stop()


def main():
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="noren-try-"))
    # A stop by a signal also stops the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(options, folder)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1")
    os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")
    main()
