"""Asks Prometheus for every panel of the dashboard while two services are used, until each has a value.

Arguments: the dashboard, the address of Prometheus, the address of a service without access control, that of one with keys.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 60
dashboard, prometheus, service, guarded = sys.argv[1:]


def send(url, method="GET", body=None, headers=None):
    """Returns the status and the headers of a response, whatever the status is."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def use_the_services(turn):
    """Sends requests that change every metric of a healthy service with the embedded back ends."""
    for other in ("Lamp", "Observed chair"):
        send(f"{service}/products/{other.replace(' ', '-')}", "PUT", {"name": other})
    product = f"{service}/products/observed-{turn}"
    _, headers = send(product, "PUT", {"name": "Observed lamp", "price": turn, "currency": "USD"})
    search = f"{service}/products/search?query="
    send(search + "observed+lamp", headers={"noren-sync-token": headers["noren-sync-token"]})
    send(search + "observed+lamp")
    send(search + "zzqxv")
    send(f"{service}/products/suggest?query=obs")
    send(f"{service}/1/events", "POST", {"events": [{"eventType": "click", "eventName": "seen", "index": "products"}]})
    send(product, "PATCH", {"name": "Observed lamp, again"}, {"content-type": "application/merge-patch+json"})
    send(product, "DELETE")
    assert send(f"{guarded}/products")[0] == 401


def ask(path, **parameters):
    """Returns what Prometheus answers at a path of its API."""
    url = f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)["data"]


def has_a_value(expression):
    """Returns true if an expression has a value that is a number."""
    for replaced, by in (("$__rate_interval", "5s"), ("$instance", ".*")):
        expression = expression.replace(replaced, by)
    try:
        result = ask("query", query=expression)["result"]
    except urllib.error.HTTPError as error:
        sys.exit(f"Prometheus refuses {expression}: {error.read().decode()}")
    return any(series["value"][1] != "NaN" for series in result)


with open(dashboard, encoding="utf-8") as file:
    panels = [panel for panel in json.load(file)["panels"] if panel["type"] != "row"]
left = [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
count = len(left)
assert count > 40, "the panels were read"
deadline = time.monotonic() + PATIENCE
turn = 0
while left and time.monotonic() < deadline:
    turn += 1
    use_the_services(turn)
    time.sleep(0.5)
    left = [(title, expression) for title, expression in left if not has_a_value(expression)]
for title, expression in left:
    print(f"the panel {title!r} has no value: {expression}", file=sys.stderr)

down = [target["labels"]["instance"] for target in ask("targets")["activeTargets"] if target["health"] != "up"]
broken = [rule["name"] for group in ask("rules")["groups"] for rule in group["rules"] if rule["health"] == "err"]
firing = [alert["labels"]["alertname"] for alert in ask("alerts")["alerts"] if alert["state"] == "firing"]
for problem, names in (("targets that are not read", down), ("rules that fail", broken), ("alerts that fire", firing)):
    if names:
        print(f"{problem}: {', '.join(names)}", file=sys.stderr)
if left or down or broken or firing:
    sys.exit(1)
print(f"{count} queries of {len(panels)} panels have values after {turn} rounds")
