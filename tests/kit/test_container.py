"""The emulator as a service container. No Docker engine is needed: a server that speaks the part of its API which
testcontainers uses runs the command of the container as a process, with the entry point of ``ci/Dockerfile``.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from served import environment, free_port, words

from conformance.emulator.container import PORT, emulator_container
from conformance.errors import UsageError

DOCKERFILE = (Path(__file__).resolve().parents[2] / "ci" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("testcontainers") is None, reason="testcontainers is not installed"
)


def instruction(pattern: str) -> Any:
    """The JSON list of an instruction in the Dockerfile."""
    (found,) = re.findall(rf"^{pattern}\s+(\[.*\])$", DOCKERFILE, re.MULTILINE)
    return json.loads(found)


class Engine(ThreadingHTTPServer):
    """One container of one image. ``asked`` is what its creation asked for, ``removed`` how often it was removed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.folder = folder
        self.asked: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.removed = 0
        self.port = free_port()

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.folder / "log"

    def start(self) -> None:
        """Run the command, at a port of this machine in place of that of the container."""
        assert ["aoai-conformance"] == instruction("ENTRYPOINT")
        typed = [str(self.port) if word == str(PORT) else word for word in self.asked["Cmd"]]
        env = environment(self.folder, **dict(one.split("=", 1) for one in self.asked["Env"]))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words(*typed), env=env, cwd=self.folder, stdout=log, stderr=log)

    def remove(self) -> None:
        """End the process."""
        self.removed += 1
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


#: The network of the container, as an engine tells it.
NETWORK = {"HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {}}}


class Answers(BaseHTTPRequestHandler):
    """The Engine API, as far as it is asked."""

    server: Engine

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: object = None, *, raw: bytes = b"") -> None:
        data = raw or (b"" if body is None else json.dumps(body).encode())
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if raw else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        path = re.sub(r"^/v[\d.]+", "", self.path.partition("?")[0])
        if path == "/version":
            self.answer(200, {"ApiVersion": "1.44", "MinAPIVersion": "1.24"})
        elif path.startswith("/images/"):
            self.answer(200, {"Id": "image", "Config": {}})
        elif path == "/containers/one/logs":
            self.answer(200, raw=self.server.log.read_bytes() or b"\n")
        elif path == "/containers/json":
            mapped = {"IP": "127.0.0.1", "PrivatePort": PORT, "PublicPort": self.server.port, "Type": "tcp"}
            self.answer(200, [{"Id": "one", "Ports": [mapped], **NETWORK}])
        elif path == "/containers/one/json":
            process = self.server.process
            status = "created" if process is None else "running" if process.poll() is None else "exited"
            ports = {f"{PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(self.server.port)}]}
            shown = {"Id": "one", "Config": {"Tty": True}, "State": {"Status": status, "ExitCode": 2}}
            self.answer(200, shown | NETWORK | {"NetworkSettings": {"Ports": ports, "Networks": {}}})
        else:
            self.answer(404, {"message": self.path})

    def do_POST(self) -> None:
        path = re.sub(r"^/v[\d.]+", "", self.path.partition("?")[0])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/containers/create":
            self.server.asked = json.loads(body)
            self.answer(201, {"Id": "one", "Warnings": []})
        elif path == "/containers/one/start":
            self.server.start()
            self.answer(204)
        else:
            self.answer(404, {"message": self.path})

    def do_DELETE(self) -> None:
        self.server.remove()
        self.answer(204)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine that testcontainers finds."""
    from testcontainers.core.config import ConnectionMode, testcontainers_config

    with Engine(tmp_path) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)  # a second container, which removes the rest
        # Else it asks for a gateway where these tests run in a container themselves.
        monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
        yield server
        server.remove()
        server.shutdown()


def test_the_container_answers_and_is_removed(engine: Engine) -> None:
    with emulator_container("somebody/aoai-conformance:1", api_version="2024-06-01") as running:
        assert "somebody/aoai-conformance:1" == engine.asked["Image"]
        assert running.key not in repr(running)
        assert f"http://127.0.0.1:{engine.port}" == running.url
        url = f"{running.url}/openai/deployments/gpt-4o/chat/completions?api-version={running.api_version}"
        body = b'{"messages": [{"role": "user", "content": "hi"}]}'
        headers = {"api-key": running.key, "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            assert 200 == answer.status
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(urllib.request.Request(url, body, {**headers, "api-key": "wrong"}))
        assert 0 == engine.removed
        assert 0 == health(engine.port)
    assert 1 == engine.removed
    assert 0 != health(engine.port)


def health(port: int) -> int:
    """The exit code of the health check in the Dockerfile, at a port of this machine."""
    python, *rest = instruction(r"HEALTHCHECK.*\sCMD")
    assert "python" == python
    words = [sys.executable, *(word.replace(str(PORT), str(port)) for word in rest)]
    return subprocess.run(words, check=False, capture_output=True, timeout=30).returncode


def test_a_container_that_ends_at_once_is_an_error_and_is_removed(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match="exit"), emulator_container(api_version="2024-13-01"):
        pass
    assert b"2024-13-01" in engine.log.read_bytes()
    assert 1 == engine.removed


def test_without_testcontainers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.container", None)
    with pytest.raises(UsageError, match="testcontainers is not installed"), emulator_container():
        pass
