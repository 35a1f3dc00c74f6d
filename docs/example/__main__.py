"""Makes the example site in this folder: runs against the suite's own emulator and against two servers from PyPI.

    python docs/example            # installs the servers, judges them, and makes the site of the reports; some minutes
    python docs/example --render   # only makes the site again, of the reports in runs/

The reports stay in ``runs`` (packed), so that the site can be made again from them. The servers are installed into a
temporary environment, without their dependencies being pinned.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUNS = HERE / "runs"

#: Seconds until a server must listen.
PATIENCE = 60


@frozen
class Server:
    """A server, from its installation to what is asked of it.

    ``package`` is a requirement of PyPI, "" for what is here already. ``command`` starts it on ``port``; programs are
    looked for in the environment of the package. ``settings`` are variables of the environment of ``run``.
    """

    name: str
    package: str
    command: str
    port: int
    versions: Sequence[str]
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def start(self) -> str:
        """What somebody types to start it."""
        command = self.command.format(port=self.port)
        return f"pip install {self.package} && {command}" if self.package else command


#: Plain OpenAI paths, any key, and nobody's resource.
PLAIN = (("AOAI_TARGET_BASE_PATH", "/v1"), ("AOAI_TARGET_AUTH", "bearer"), ("AOAI_TARGET_LIVE", "false"))

#: Both are under the MIT licence. Of the first there are two releases, the older before the newer: its history.
SERVERS = (
    Server(
        "the emulator of this suite",
        "",
        "aoai-conformance serve --port {port}",
        8500,
        ("2024-10-21", "v1-preview"),
    ),
    Server("llmock", "llmock==0.1.1", "llmock serve --port {port}", 8501, ("v1-preview",), PLAIN),
    Server("llmock", "llmock==0.2.2", "llmock serve --port {port}", 8501, ("v1-preview",), PLAIN),
    Server("fakellm", "fakellm==0.3.5", "fakellm init && fakellm serve --port {port}", 8502, ("v1-preview",), PLAIN),
)

KEY = "a-key-of-nobody"


def folder_of(server: Server) -> str:
    """The name of the folder of its reports in ``runs``."""
    return server.package.replace("==", "-") or "emulator"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a command: its journals stay in a folder that is removed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AOAI_")}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**kept, "PYTHONPATH": path, "XDG_STATE_HOME": str(folder / "state"), "AZURE_OPENAI_API_KEY": KEY, **more}


def suite(*words: str) -> list[str]:
    """A command of this checkout."""
    return [sys.executable, "-m", "conformance", *words]


def listening(port: int) -> bool:
    """True if somebody listens on a port of this machine."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(server: Server, folder: Path) -> Iterator[str]:
    """The server, installed and listening; yields its URL."""
    *first, (program, *words) = (one.split() for one in server.command.format(port=server.port).split(" && "))
    if server.package:
        place = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", server.package], check=True)
        for one, *rest in first:
            subprocess.run([str(place / "bin" / one), *rest], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        command, more = [str(place / "bin" / program), *words], {"PYTHONPATH": ""}
    else:
        versions = [word for version in server.versions for word in ("--api-version", version)]
        command, more = suite(*words, *versions), {"AOAI_EMULATOR_KEY": KEY}
    process = subprocess.Popen(command, cwd=folder, env=environment(folder, **more), stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while not listening(server.port):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{server.package or server.name} did not start: {' '.join(command)}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        process.kill()
        process.wait()


def judged(server: Server) -> None:
    """Judge a server and keep its reports in ``runs``."""
    with tempfile.TemporaryDirectory() as name, serving(server, Path(name)) as url:
        versions = [word for version in server.versions for word in ("--api-version", version)]
        words = ("--target", url, "--profile", "smoke", "--gzip", "--out", "out", *versions)
        done = subprocess.run(
            suite("run", *words), cwd=name, env=environment(Path(name), **dict(server.settings)), check=False
        )
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"{server.name} could not be judged: exit code {done.returncode}")
        for version in server.versions:
            kept = RUNS / folder_of(server) / version
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(name) / "out" / version / "report.jsonl.gz", kept / "report.jsonl.gz")


def render(out: Path) -> None:
    """Make the site of the reports in ``runs``."""
    # Of several releases the last one is the one to start.
    starts = {server.name: server.start for server in SERVERS}
    words = [f"{server.name}={RUNS / folder_of(server)}" for server in SERVERS]
    words += [word for name, start in starts.items() for word in ("--start", f"{name}={start}")]
    subprocess.run(suite("site", *words, "--out", str(out)), env=environment(out), check=True)


def main(words: Sequence[str]) -> None:
    """Make the site, with new runs unless ``--render`` is given."""
    if words not in ([], ["--render"]):
        raise SystemExit("usage: python docs/example [--render]")
    if not words:
        shutil.rmtree(RUNS, ignore_errors=True)
        for server in SERVERS:
            judged(server)
    for page in HERE.glob("*/index.html"):
        shutil.rmtree(page.parent)
    render(HERE)


if __name__ == "__main__":
    main(sys.argv[1:])
