"""The command line and the emulator as processes of their own, with a time limit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

import conformance

#: Where ``conformance`` was imported from: the checkout, or a wheel's site-packages.
HOME = Path(conformance.__file__).resolve().parents[1]

#: The key of every emulator here. No artefact of a run may hold it.
CANARY = "canary-3f9a61c07be24d58"

#: pytest with xdist and no other plugin: loading those that happen to be installed takes longer than a small run.
#: ``tox -e neighbours`` tests that we get on with them.
PYTEST = (sys.executable, "-m", "pytest", "--disable-plugin-autoload", "-p", "xdist.plugin")

#: Seconds that a command may take before it counts as hanging.
PATIENCE = 240.0


def environment(state: Path, **more: str) -> dict[str, str]:
    """The environment of a command: our code, the key, journals in a folder of the test's own."""
    path = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH", ""))))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AOAI_", "PYTEST_", "COV_"))}
    return {
        **kept,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "XDG_STATE_HOME": str(state / "state"),
        "AZURE_OPENAI_API_KEY": CANARY,
        "AOAI_EMULATOR_KEY": CANARY,
        **more,
    }


@frozen
class Done:
    """What a command left: exit code and output."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of both outputs, blank ones left out."""
        return [line for line in (self.out + self.err).splitlines() if line.strip()]


def words(*arguments: str) -> list[str]:
    """A command line of ours."""
    return [sys.executable, "-m", "conformance", *arguments]


def command(
    state: Path, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, ours: bool = True
) -> Done:
    """Run a command to its end; a command that hangs fails the test by :class:`subprocess.TimeoutExpired`."""
    done = subprocess.run(
        words(*arguments) if ours else list(arguments),
        env=environment(state, **(env or {})),
        cwd=cwd or state,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def nobody() -> Iterator[str]:
    """A base URL that refuses every connection: its port is taken, so nobody else can listen there meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def serving(state: Path, *arguments: str, **more: str) -> Iterator[str]:
    """``serve`` in a process of its own, on a free port; yields its base URL."""
    process = subprocess.Popen(
        words("serve", "--port", "0", *arguments),
        env=environment(state, **more),
        cwd=state,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("ready "), f"serve did not start: {line!r}"
            yield line.removeprefix("ready ").strip()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
