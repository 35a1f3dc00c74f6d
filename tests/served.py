"""The command line and the emulator as processes of their own, with a time limit."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from attrs import frozen

import conformance

#: Where ``conformance`` was imported from: the checkout, or a wheel's site-packages.
HOME = Path(conformance.__file__).resolve().parents[1]

#: The key of every emulator here. No artefact of a run may hold it.
CANARY = "canary-3f9a61c07be24d58"

#: An api-version for a test that needs one and doesn't care which: it has assistants, and few requests.
ORDINARY = "2024-05-01-preview"

#: pytest with xdist and no other plugin: loading those that happen to be installed takes longer than a small run.
#: ``tox -e neighbours`` tests that we get on with them.
PYTEST = (sys.executable, "-m", "pytest", "--disable-plugin-autoload", "-p", "xdist.plugin")

#: Seconds that a command may take before it counts as hanging.
PATIENCE = 240.0


def environment(state: Path, **more: str) -> dict[str, str]:
    """The environment of a command: our code, the key, journals in a folder of the test's own."""
    path = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH", ""))))
    ours = ("AOAI_", "PYTEST_", "COV_", "HYPOTHESIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
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


class Preloaded:
    """The process of ``preloaded.py``, which starts our commands without the time for their imports."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("preloaded.py")), str(theirs.fileno())],
                env=environment(Path.home()),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        """End it; the commands that run end by themselves."""
        self._channel.close()
        self._process.wait()

    @contextmanager
    def started(
        self,
        module: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        streams: Sequence[int],
        *,
        file_bytes: int | None = None,
    ) -> Iterator[Forked]:
        """A process like that of ``python -m module arguments``, with the given standard streams. None of its files may
        become larger than ``file_bytes``.
        """
        talk, theirs = socket.socketpair()
        with talk, talk.makefile("rwb") as lines:
            with theirs:
                socket.send_fds(self._channel, [b"+"], [theirs.fileno(), *streams])
            asked = {
                "module": module,
                "arguments": [*arguments],
                "environment": {**env},
                "folder": str(cwd),
                "file_bytes": file_bytes,
            }
            lines.write(json.dumps(asked).encode() + b"\n")
            lines.flush()
            yield Forked(int(lines.readline()), lines)


@frozen
class Forked:
    """A process that :class:`Preloaded` started."""

    pid: int
    _lines: IO[bytes]

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return int(self._lines.readline())

    def kill(self) -> None:
        """Kill it. It must not have been waited for."""
        os.kill(self.pid, signal.SIGKILL)


@cache
def preloaded() -> Preloaded:
    """The one of this process, started when it is first needed."""
    made = Preloaded()
    atexit.register(made.close)
    return made


def command(
    state: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    ours: bool = True,
    file_bytes: int | None = None,
    patience: float | None = None,
) -> Done:
    """Run a command to its end; a command that hangs fails the test by :class:`subprocess.TimeoutExpired`. It hangs if
    it takes longer than ``patience`` seconds, :data:`PATIENCE` if nothing is said.

    With ``ours`` the arguments are those of our command line, else a whole one. What is ``python -m`` is forked from a
    process that has imported the package, unless ``env`` speaks to Python itself; such a process can be told that none
    of its files may become larger than ``file_bytes``.
    """
    patience = PATIENCE if patience is None else patience
    given, whole = words(*arguments) if ours else list(arguments), environment(state, **(env or {}))
    if given[:2] == [sys.executable, "-m"] and not any(name.startswith("PYTHON") for name in env or ()):
        return _forked(given[2], given[3:], whole, cwd or state, file_bytes, patience)
    assert file_bytes is None, "only a fork can be told that"
    done = subprocess.run(
        given,
        env=whole,
        cwd=cwd or state,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _forked(  # noqa: PLR0917 - one place calls it
    module: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    file_bytes: int | None,
    patience: float,
) -> Done:
    """Run a module to its end as a fork."""
    with ExitStack() as stack:
        empty = stack.enter_context(Path(os.devnull).open("rb"))
        ends = [os.pipe(), os.pipe()]
        read = [stack.enter_context(os.fdopen(one, encoding="utf-8")) for one, _ in ends]
        write = [stack.enter_context(os.fdopen(one, "wb")) for _, one in ends]
        streams = [empty.fileno(), *(each.fileno() for each in write)]
        process = stack.enter_context(preloaded().started(module, arguments, env, cwd, streams, file_bytes=file_bytes))
        for each in write:
            each.close()
        with ThreadPoolExecutor(2) as readers:
            texts = [readers.submit(each.read) for each in read]
            late = wait(texts, patience).not_done
            if late:
                process.kill()
        code = process.wait()
        if late:
            raise subprocess.TimeoutExpired([module, *arguments], patience)
        return Done(code, texts[0].result(), texts[1].result())


def free_port() -> int:
    """A port of this machine at which nobody listens, for a command that must be told its port before it starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def nobody() -> Iterator[str]:
    """A base URL that refuses every connection: its port is taken, so nobody else can listen there meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def serving(state: Path, *arguments: str, **more: str) -> Iterator[str]:
    """``serve`` in a process of its own, on a free port; yields its base URL."""
    with ExitStack() as stack:
        nothing = stack.enter_context(Path(os.devnull).open("r+b"))
        read, write = os.pipe()
        output = stack.enter_context(os.fdopen(read, encoding="utf-8"))
        with os.fdopen(write, "wb") as told:
            streams = [nothing.fileno(), told.fileno(), nothing.fileno()]
            asked = ("conformance", ["serve", "--port", "0", *arguments], environment(state, **more), state, streams)
            process = stack.enter_context(preloaded().started(*asked))
        try:
            line = output.readline()
            assert line.startswith("ready "), f"serve did not start: {line!r}"
            yield line.removeprefix("ready ").strip()
        finally:
            process.kill()
            process.wait()
