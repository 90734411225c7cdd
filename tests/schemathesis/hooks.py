"""What schemathesis cannot know about Noren: its media type, and the rules that no JSON schema can state."""

import itertools
import json
import os
import re

import schemathesis
from schemathesis.core.parameters import ParameterLocation

# Rules between several values, or about values outside the request. A valid request by the document may be rejected by these
# alone: a fault is listed here by its field ("" is any) and a part of its message.
RULES = [
    # Codes come from a list that grows.
    ("", "is not a currency of ISO 4217"),
    # The number of decimals, and so the largest price, depends on the currency.
    ("", "decimals"),
    ("price", "must be at most"),
    ("priceRange", "must be at most"),
    ("price", "is required where a currency is given"),
    ("", "has its lower end above its upper end"),
    # Bounds of several parameters together, and of the words of a text.
    ("", "a search has at most 20 filter values"),
    ("", "a request has at most 100 parameters"),
    ("query", "must have at most 32 words"),
    # Keys with brackets have a form of their own, which the style `deepObject` lacks.
    ("", "must have one pair of brackets"),
    # A cursor is opaque: only the service knows which are real.
    ("cursor", "is not the `nextCursor` of"),
    ("cursor", "cannot be combined with `page`"),
    ("cursor", "belongs to a list in another order"),
    ("page", "to go further, send the `nextCursor`"),
    ("If-Match", "cannot be given together with If-None-Match"),
    ("keys", "must name each letter once"),
    ("", "the Idempotency-Key was used for another request"),
    ("", "must have either `keys` or `all`"),
    ("all", "must be true; to select some"),
    # What a delete selects, and which parameters of an import go together.
    ("all", "must be `true` to select every product"),
    ("all", "cannot be combined with a condition"),
    ("updatedBefore", "must be a time such as"),
    # The end of the year 9999 is not a time here.
    ("updatedSince", "must be a time such as"),
    ("maxDelete", "is possible with `mode=sync` only"),
    # The names are those of a standard.
    ("encoding", "is no character set"),
    # An empty list is written as an empty value.
    ("fields", ", not ``"),
    ("category", "must be the first of `categories`"),
    ("expiresAt", "must be in the future"),
    ("filter", "is possible only for a key with the scope `search` alone"),
    # The filter of a key is a query string, and its faults are those of a search.
    ("filter", ""),
    # A file is judged by its content, and in the format that the parameters name.
    ("", "; nothing was imported"),
    ("map", "must be a column and its field"),
    ("map", "must have at most 50 values"),
    # A key may not be empty before the direction.
    ("sortBy", "must be one of"),
    ("id", "names a page of the API"),
    ("id", "as in the path, or be omitted"),
    # Of texts: the portable subset of regular expressions has no classes for these.
    ("", "control characters"),
    ("name", "none of control"),
    ("", "NUL character"),
    ("", "without empty levels"),
    ("", "characters; it has 0"),
]


def is_by_rule(response):
    """Returns true if a request was rejected only by rules that no schema can state."""
    if response.status_code not in (400, 422):
        return False
    problem = json.loads(response.content)
    faults = problem.get("errors") or [{"field": "", "message": problem["detail"]}]
    return all(
        any(field in ("", fault["field"].rpartition("].")[2]) and part in fault["message"] for field, part in RULES)
        for fault in faults
    )


@schemathesis.hook
def filter_failure(context, failure, case, response):
    match type(failure).__name__:
        case "RejectedPositiveData":
            return not is_by_rule(response)
        # Each line is judged by itself: a response of 200 has a problem for each line that is no product.
        case "AcceptedNegativeData" if case.media_type == "application/x-ndjson":
            return case.meta.is_negative_at(ParameterLocation.QUERY)
    return True


def whole(value):
    """Writes whole numbers without a fraction, as every other JSON library does: 2, not 2.0."""
    match value:
        case dict():
            return {key: whole(member) for key, member in value.items()}
        case list():
            return [whole(element) for element in value]
        case float() if value.is_integer():
            return int(value)
    return value


@schemathesis.hook
def map_body(context, body):
    return whole(body)


CURRENCIES = ["USD", "EUR", "JPY"]


def keep_rules(part, currency):
    """Replaces unknown currencies, and the control characters in the values of a valid request."""
    match part:
        case dict():
            for key, value in part.items():
                if key == "currency" and isinstance(value, str):
                    part[key] = currency
                elif isinstance(value, str):
                    part[key] = CONTROL.sub("c", value)
                else:
                    keep_rules(value, currency)
        case list():
            for at, value in enumerate(part):
                if isinstance(value, str):
                    part[at] = CONTROL.sub("c", value)
                else:
                    keep_rules(value, currency)


def keep_addresses(part):
    """Replaces brackets in the addresses of pictures: schemathesis parses those of a response, and fails at `http://[`."""
    if isinstance(part, dict) and isinstance(part.get("images"), list):
        part["images"] = [
            re.sub(r"[\[\]]", "b", image) if isinstance(image, str) else image for image in part["images"]
        ]


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
clients = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Comes from another client each time: the service stops an address that sends many wrong credentials."""
    count = next(clients)
    case.headers["X-Forwarded-For"] = f"10.{count >> 16 & 255}.{count >> 8 & 255}.{count & 255}"
    # Requests that revoke or rotate the key which they are sent with would end the checks: the others would be 401.
    if "/admin/keys/{id}" in case.operation.path and case.path_parameters.get("id") == os.environ.get("OWN_KEY_ID"):
        case.path_parameters["id"] = "0123456789abcdef"
    if not (case.meta and case.meta.generation.mode.is_positive):
        return
    # A search waits for the write that a token names, and most tokens here name none: few requests have one.
    if count % 20:
        case.headers.pop("Noren-Sync-Token", None)
        (case.query or {}).pop("syncToken", None)
    keep_addresses(case.body)
    # Most requests keep the rules that are most often broken, so that they come further than the reading.
    if count % 5:
        for part in (case.query, case.body):
            keep_rules(part, CURRENCIES[count % len(CURRENCIES)])


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    return {"data": value.encode() if isinstance(value, str) else json.dumps(value).encode()}
