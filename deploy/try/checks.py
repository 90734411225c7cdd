"""Checks of the deployed stack: everything between its functions works as the template wires it."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

from servers import Failure
from stack import ROOT_KEY

EVENTS = Path(__file__).resolve().parents[2] / "tests/events"
VISIBILITY_SECONDS = 2


def check(stack, gateway, opensearch):
    """Runs every check; the first that fails raises."""
    # A failed message is delivered again after this time, which is six minutes on AWS.
    stack.sqs.set_queue_attributes(
        QueueUrl=stack.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    cold_starts(stack)
    a_write_is_found(gateway)
    functions_ask_for_keys(gateway)
    requests_reach_a_function(gateway)
    a_poison_message_ends_alone_in_the_dead_letters(stack)
    of_a_batch_only_what_failed_is_retried(stack, gateway)
    the_schedule_enqueues_what_the_queue_missed(stack, gateway)
    if opensearch is not None:
        a_handled_failure_raises_the_alarm(stack, gateway, opensearch)


def request(gateway, method, target, body=None, headers=None):
    """Returns status, headers and body of a response to a request with the root key, or with the key in `headers`."""
    headers = {"content-type": "application/json", "x-api-key": ROOT_KEY, **(headers or {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    call = urllib.request.Request(gateway.url + target, data, headers, method=method)
    try:
        with urllib.request.urlopen(call, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def expect(condition, what, found):
    if not condition:
        raise Failure(f"expected that {what}, but found: {found}")


def wait_until(what, is_true, seconds=60):
    until = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > until:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def found(gateway, query):
    """Returns the ids of the products that a search finds."""
    status, _, body = request(gateway, "GET", f"/products/search?query={query}")
    expect(status == 200, "the search is answered", (status, body))
    return [product["id"] for product in json.loads(body)["products"]]


def cold_starts(stack):
    live = json.loads((EVENTS / "http-api-search.json").read_text())
    live["rawPath"] = live["requestContext"]["http"]["path"] = "/health/live"
    nothing = {"Records": []}
    for function, event in (("Command", live), ("Sync", nothing), ("Query", live)):
        times = []
        for _ in range(2):
            begun = time.monotonic()
            stack.invoke(function, event)
            times.append(time.monotonic() - begun)
        print(f"{function}: first invocation after {times[0]:.2f} s, the next in {times[1] * 1000:.0f} ms")


def a_write_is_found(gateway):
    status, headers, body = request(gateway, "PUT", "/products/lamp", {"name": "Oak lamp"})
    expect(status == 201, "the product is created", (status, body))
    begun = time.monotonic()
    token = {"noren-sync-token": headers["noren-sync-token"]}
    status, _, body = request(gateway, "GET", "/products/search?query=lmap&syncTimeout=10", headers=token)
    expect(status == 200, "the search waits for the write", (status, body))
    ids = [product["id"] for product in json.loads(body)["products"]]
    expect(ids == ["lamp"], "the search finds the product", body)
    print(f"a create on Command was found by Query {time.monotonic() - begun:.1f} s later")


def functions_ask_for_keys(gateway):
    """A key that Command creates is known to Query, as both use one table. Anyone may search."""
    def status(method, target, key, body=None):
        return request(gateway, method, target, body, {"x-api-key": key})[0]

    answered, _, body = request(gateway, "POST", "/admin/keys", {"name": "support", "scopes": ["search", "read"]})
    expect(answered == 201, "the root key creates a key", (answered, body))
    created = json.loads(body)
    key, lamp = created["key"], "/products/lamp"
    for method, target, of, expected in (
        ("PUT", lamp, None, 401),
        ("PUT", lamp, key, 403),
        ("GET", lamp, key, 200),
        ("GET", lamp, key[:-1] + ("0" if key[-1] != "0" else "1"), 401),
        ("GET", "/products/search", key, 200),
        ("GET", "/products/search", None, 200),
        ("GET", "/metrics", key, 403),
        ("GET", "/metrics", ROOT_KEY, 200),
        ("DELETE", f"/admin/keys/{created['id']}", ROOT_KEY, 200),
    ):
        body = {"name": "Oak lamp"} if method == "PUT" else None
        answered = status(method, target, of, body)
        expect(answered == expected, f"{method} {target} gets {expected}", answered)
    revoked = lambda: status("GET", lamp, key) == 401 and status("GET", "/products/search", key) == 401
    wait_until("both functions refuse the revoked key", revoked, 10)
    print("the functions ask for keys; a revoked key is refused by both")


def requests_reach_a_function(gateway):
    """Those that the OpenAPI documents do not name are answered as by a process."""
    for method, target, status, content in (
        ("GET", "/health/ready", 200, b"ready"),
        ("GET", "/openapi.json", 200, b"/products/search"),
        ("HEAD", "/products/search", 200, b""),
        ("GET", "/products/lamp", 200, b"Oak lamp"),
        ("GET", "/nowhere", 404, b"/nowhere"),
        ("DELETE", "/products/search", 405, b""),
        ("POST", "/imports", 501, b"noren import"),
        ("PUT", "/products/lamp/images/front.webp", 501, b"NOREN_IMAGES"),
    ):
        answered, _, body = request(gateway, method, target)
        expect((answered, content in body) == (status, True), f"{method} {target} gets {status}", (answered, body))
    print("health, OpenAPI, HEAD, unknown paths, /imports and images are answered by the functions")


def a_poison_message_ends_alone_in_the_dead_letters(stack):
    stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody="poison")
    wait_until("the poison message is a dead letter", lambda: stack.messages("DeadLettersUrl") > 0, 90)
    bodies = dead_letters(stack)
    expect(bodies == ["poison"], "it is the only dead letter", bodies)
    expect(stack.messages("QueueUrl") == 0, "the queue is empty", stack.messages("QueueUrl"))
    print("a poison message ended alone in the dead-letter queue")


def of_a_batch_only_what_failed_is_retried(stack, gateway):
    records = json.loads((EVENTS / "sqs-batch.json").read_text())["Records"]
    created = [record["body"] for record in records if '"CREATE"' in record["body"]]
    changes = created[:5]
    expect(len(changes) == 5, "the recorded batch has five changes", records)
    bad = [f"bad {n}" for n in range(5)]
    together = [body for pair in zip(changes, bad) for body in pair]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(together)]
    before = stack.metric("Sync", "Errors")
    stack.sqs.send_message_batch(QueueUrl=stack.outputs["QueueUrl"], Entries=entries)
    wait_until("the good half is indexed", lambda: len(found(gateway, "cup")) == 5)
    expect(stack.messages("QueueUrl") <= 5, "the good half is acknowledged", stack.messages("QueueUrl"))
    wait_until("the bad half is in the dead letters", lambda: stack.messages("DeadLettersUrl") == 5, 90)
    bodies = sorted(dead_letters(stack))
    expect(bodies == bad, "these are the five that failed", bodies)
    failed = stack.metric("Sync", "Errors") - before
    expect(failed == 0, "a failed message is no error of the function", failed)
    print("of a batch that half failed, the half that failed was retried and dead-lettered")


def dead_letters(stack):
    """Takes all messages out of the dead-letter queue and returns their bodies."""
    url, bodies = stack.outputs["DeadLettersUrl"], []
    while messages := stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def the_schedule_enqueues_what_the_queue_missed(stack, gateway):
    url = stack.outputs["QueueUrl"]
    attributes = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    settable = ("VisibilityTimeout", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy")
    stack.sqs.delete_queue(QueueUrl=url)
    status, _, body = request(gateway, "PUT", "/products/kettle", {"name": "Iron kettle"})
    expect(status == 201, "a write succeeds while the queue is away", (status, body))
    kept = {name: attributes[name] for name in settable if name in attributes}
    stack.sqs.create_queue(QueueName=url.rsplit("/", 1)[1], Attributes=kept)
    expect(found(gateway, "kettle") == [], "nobody has enqueued the write yet", "the kettle")
    begun = time.monotonic()
    wait_until("the schedule enqueues the write", lambda: found(gateway, "kettle") == ["kettle"], 150)
    print(f"the schedule enqueued what the queue had missed, after {time.monotonic() - begun:.0f} s")


def a_handled_failure_raises_the_alarm(stack, gateway, opensearch):
    """A 503 that a function answers is no error of the function; the share of 5xx responses of the API counts it."""
    expect(stack.alarm_state("ApiFailures") != "ALARM", "the alarm is quiet", stack.alarm_state("ApiFailures"))
    before = stack.metric("Query", "Errors")
    opensearch.stop()
    for n in range(30):
        status, headers, body = request(gateway, "GET", f"/products/search?query=x{n}")
        expect(status == 503 and headers["retry-after"], "the search is answered with 503", (status, body))
    failed = stack.metric("Query", "Errors") - before
    expect(failed == 0, "no invocation failed", failed)
    wait_until("the alarm is raised", lambda: stack.alarm_state("ApiFailures") == "ALARM")
    print("30 responses with 503 were no errors of Query and raised the alarm ApiFailures")
