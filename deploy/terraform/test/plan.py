"""Plans the module as a user would, with the provider itself and without an account.

    plan.py TERRAFORM MODULE

MODULE is a copy of the module with its packages in the folder `functions`. The plan is written to MODULE/plan.json. A server on
this machine answers the only question that a plan asks AWS: which account this is."""

import http.server
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from template import ACCOUNT, REGION

PROVIDER = "5.100.0"
IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{ACCOUNT}:user/test</Arn><UserId>test</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


class Identity(http.server.BaseHTTPRequestHandler):
    """Answers GetCallerIdentity."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if b"Action=GetCallerIdentity" in body else 400)
        self.send_header("content-type", "text/xml")
        self.end_headers()
        self.wfile.write(IDENTITY.encode())

    def log_message(self, *_):
        pass


def root(module, port):
    """Returns a configuration that uses the module."""
    provider = {
        "region": REGION, "access_key": "test", "secret_key": "test", "skip_credentials_validation": True,
        "skip_metadata_api_check": True, "endpoints": {"sts": f"http://127.0.0.1:{port}"},
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}},
        "provider": {"aws": provider},
        "module": {"noren": {"source": str(module), "functions": str(module / "functions")}},
    }


def main():
    terraform, module = sys.argv[1], Path(sys.argv[2]).resolve()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Identity)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps(root(module, server.server_address[1])))

        def run(*arguments):
            command = [terraform, f"-chdir={folder}", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"error: {' '.join(command)}:\n{done.stdout}{done.stderr}")
            return done.stdout

        run("init", "-input=false")
        run("plan", "-input=false", "-out=plan")
        plan = json.loads(run("show", "-json", "plan"))
    (module / "plan.json").write_text(json.dumps(plan))
    changes = [change["change"]["actions"] for change in plan["resource_changes"] if change["mode"] == "managed"]
    if not changes or any(actions != ["create"] for actions in changes):
        sys.exit(f"error: a first plan creates every resource: {changes}")
    print(f"terraform plan: {len(changes)} resources to create")


if __name__ == "__main__":
    main()
