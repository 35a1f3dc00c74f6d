"""Runs the emulator in a process of its own, on a free loopback port."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance.emulator.behaviour import SETTINGS_VARIABLE, Settings
from conformance.errors import HarnessError

__all__ = ["emulator", "starting"]


@contextmanager
def emulator(
    versions: Sequence[str],
    *,
    settings: Settings | None = None,
    folder: Path | None = None,
    timeout: float = 30.0,
) -> Iterator[str]:
    """Start the emulator, wait until it accepts connections, yield its base URL, and stop it by its process id.

    The settings, key included, are passed in the environment. Raises :class:`HarnessError` if it does not start within
    ``timeout`` seconds.
    """
    with starting(versions, settings=settings, folder=folder, timeout=timeout) as url:
        yield url()


@contextmanager
def starting(
    versions: Sequence[str],
    *,
    settings: Settings | None = None,
    folder: Path | None = None,
    timeout: float = 30.0,
    steps: bool = False,
) -> Iterator[Callable[[], str]]:
    """The same without the wait: it yields a function that waits for the URL and raises what :func:`emulator` raises.

    Whoever has other work to do meanwhile asks for the URL when it is needed. With ``steps`` its clock can be moved to
    the next second (``clock_route.py``).
    """
    command = [sys.executable, "-m", "conformance.emulator.server", "--port", "0", "--until-stdin-ends"]
    for version in versions:
        command += ["--api-version", version]
    if steps:
        command.append("--steps")
    if folder is not None:
        command += ["--specs", str(folder)]
    root = str(Path(__file__).resolve().parents[2])
    # The child must import the same code, also in a checkout that isn't installed.
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, SETTINGS_VARIABLE: (settings or Settings()).to_json(), "PYTHONPATH": path}
    # A session of its own: Ctrl-C is for the run, which still needs the emulator to clean up. The pipe to its standard
    # input ends when this process does, however it ends.
    process = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",  # something else may print there before it is ready, such as a start-up file of Python
        env=environment,
        start_new_session=True,
    )
    # ``readline`` has no time limit. Killing the process ends it, with an empty line.
    watchdog = threading.Timer(timeout, process.kill)
    watchdog.start()
    lines: list[str] = []

    def read() -> None:
        lines.append(process.stdout.readline() if process.stdout else "")
        watchdog.cancel()

    # In a thread of its own: the watchdog must not end an emulator that is ready and was only not asked for its URL.
    reader = threading.Thread(target=read, name="emulator-ready", daemon=True)
    reader.start()

    def url() -> str:
        reader.join()
        line = "".join(lines)  # nothing, if it could not be read
        if not line.startswith("ready "):
            raise HarnessError("the emulator did not start", hint="its messages are on standard error")
        return line.removeprefix("ready ").strip()

    try:
        yield url
    finally:
        watchdog.cancel()
        # It ends with its standard input, at once. A signal would let it look around for open connections first, which
        # takes a tenth of a second.
        if process.stdin:
            process.stdin.close()
        try:
            # Much longer than it needs. By the process object, never by name: other emulators may run here.
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()  # its line has ended with the process
        if process.stdout:
            process.stdout.close()
