"""Writes products one after the other, 20 a second, until it is stopped by SIGTERM; prints the id of each that was acknowledged.

Usage: compose-writer.py URL PREFIX
"""

import json
import signal
import sys
import time
import urllib.error
import urllib.request

INTERVAL = 0.05
TIMEOUT = 10

url, prefix = sys.argv[1:]
is_stopped = False
failures = {}


def stop(*_):
    global is_stopped
    is_stopped = True


def write(number):
    """Returns None, or the reason why the write was not acknowledged."""
    name = f"{prefix}-{number}"
    body = json.dumps({"name": f"Restart lamp {number}", "price": number, "tags": [prefix]}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/products/{name}", body, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            print(name, flush=True)
            return None
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return type(getattr(error, "reason", error)).__name__


signal.signal(signal.SIGTERM, stop)
next_write, number = time.monotonic(), 0
while not is_stopped:
    number += 1
    reason = write(number)
    if reason is not None:
        failures[reason] = failures.get(reason, 0) + 1
    next_write = max(next_write + INTERVAL, time.monotonic() - 1)
    time.sleep(max(0, next_write - time.monotonic()))
print(f"{number} writes, not acknowledged: {failures or 'none'}", file=sys.stderr)
