"""Reads the dashboard into Grafana's own model and expects every field of it there, so that none is misspelt."""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

# Grafana writes it, and its model lacks it.
UNKNOWN = {"/templating/list/1/definition"}


def lost(value, kept, path=""):
    """Yields the paths of what is in `value` and not in `kept`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(kept, dict) or name not in kept:
                yield f"{path}/{name}"
            else:
                yield from lost(inner, kept[name], f"{path}/{name}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from lost(inner, kept[at] if isinstance(kept, list) and at < len(kept) else None, f"{path}/{at}")
    elif value != kept:
        yield path


register_default_plugins()
with open(sys.argv[1], encoding="utf-8") as file:
    dashboard = json.load(file)
kept = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
problems = set(lost(dashboard, kept)) - UNKNOWN
if problems:
    sys.exit(f"{sys.argv[1]}: not in Grafana's model: {', '.join(sorted(problems))}")
print(f"{sys.argv[1]}: every field is in Grafana's model")
