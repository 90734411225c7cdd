"""The HTTP API in front of the functions, which the emulator does not route: by the routes of the template, one request at
a time becomes an event of a function. It asks for no signatures."""

import base64
import http.server
import re
import threading
import time
import urllib.parse

from stack import decoded

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def routes(template):
    """Returns (function, method, path) for each route of the template; `$default` has neither method nor path."""
    found, path, method = [], None, None
    for line in template.splitlines():
        if entry := re.fullmatch(r" {10}(/\S*|\$default):", line):
            path = entry[1]
        elif entry := re.fullmatch(r" {12}([\w-]+):", line):
            method = "ANY" if entry[1] == "x-amazon-apigateway-any-method" else entry[1].upper()
        elif entry := re.search(r"#/components/x-amazon-apigateway-integrations/(\w+)", line):
            found.append((entry[1], None, None) if path == "$default" else (entry[1], method, path))
    return found


class Gateway:
    """A server on this machine that ends with its block."""

    def __init__(self, stack, port):
        self.stack, self.routes = stack, routes(stack.template)
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

        for method in METHODS:
            setattr(Handler, f"do_{method}", lambda handler: gateway.serve(handler))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def route(self, method, path):
        """Returns the function of a request: a path that is written out comes before one with a variable."""
        candidates = []
        for function, wanted, pattern in self.routes:
            if pattern is None:
                candidates.append(((2, 0, 0), function))
                continue
            expression = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern))
            if wanted in (method, "ANY") and re.fullmatch(expression, path):
                candidates.append(((0, pattern.count("{"), wanted == "ANY"), function))
        return min(candidates)[1]

    def serve(self, handler):
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        response = self.answer(handler.command, handler.path, dict(handler.headers.items()), body)
        content = decoded(response)
        handler.send_response(response["statusCode"])
        headers = {name.lower(): value for name, value in (response.get("headers") or {}).items()}
        for name, values in (response.get("multiValueHeaders") or {}).items():
            headers.setdefault(name.lower(), ", ".join(values))
        headers["content-length"] = str(len(content))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def answer(self, method, target, headers, body):
        """Returns the response of the function to which the request is routed, and counts it as API Gateway does."""
        path, _, query = target.partition("?")
        path = urllib.parse.unquote(path)
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.lower(): value for name, value in headers.items()},
            "requestContext": {
                "accountId": "000000000000", "apiId": self.stack.resources["Api"], "domainName": "localhost",
                "domainPrefix": "localhost", "requestId": f"{time.time_ns()}", "routeKey": "$default",
                "stage": "$default", "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
                "timeEpoch": int(time.time() * 1000),
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                         "userAgent": headers.get("User-Agent", "")},
            },
            "isBase64Encoded": True,
            "body": base64.b64encode(body).decode(),
        }
        response = self.stack.invoke(self.route(method, path), event)
        self.count(response["statusCode"])
        return response

    def count(self, status):
        dimensions = [{"Name": "ApiId", "Value": self.stack.resources["Api"]}, {"Name": "Stage", "Value": "$default"}]
        data = {"MetricName": "5xx", "Dimensions": dimensions, "Value": float(status >= 500), "Unit": "Count"}
        self.stack.cloudwatch.put_metric_data(Namespace="AWS/ApiGateway", MetricData=[data])
