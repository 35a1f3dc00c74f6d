"""A process that has imported the package already, and forks itself for every command that ``served.py`` asks for.

Most of what a short command costs is the start of Python and the imports. A fork of this process is a process of its
own all the same, with its own arguments, environment, working folder, input and outputs, and it ends as any other.

Commands with ``-n`` start workers by ``sys.executable``, and others the embedded emulator. There they find a program
of a few lines that asks this process for a fork too. All forks have one hash seed, that of this process; a test that
wants another one sets ``PYTHONHASHSEED`` and gets real processes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

#: What a run loads beside our own modules.
LIBRARIES = ("pytest", "_pytest.junitxml", "_pytest.unittest", "execnet", "allure_commons.types")

#: pytest rewrites the assertions of a plugin when it loads it, and warns if somebody else has loaded it before.
PLUGINS = ("conformance.plugin", "xdist.plugin")

#: The hash seed that this process was started with, and so that of all its forks; None: one drawn by Python.
SEED = os.environ.get("PYTHONHASHSEED")

#: Stands for Python while a command starts its workers, with ``python -u -c code``, or one of our modules, with
#: ``python -m``. Anything else is given to Python.
STAND_IN = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:3] == ["-u", "-c"] and len(sys.argv) == 4:
    asked = {{"code": sys.argv[3]}}
elif sys.argv[1:2] == ["-m"] and sys.argv[2].partition(".")[0] == "conformance":
    asked = {{"module": sys.argv[2], "arguments": sys.argv[3:]}}
else:
    asked = None
if asked is None or os.environ.get("PYTHONHASHSEED") != {seed!r}:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
asking, (talk, theirs) = socket.socket(socket.AF_UNIX), socket.socketpair()
asking.connect({address!r})
socket.send_fds(asking, [b"+"], [theirs.fileno(), 0, 1, 2])
theirs.close()
lines = talk.makefile("rwb")
asked |= {{"environment": dict(os.environ), "folder": os.getcwd()}}
lines.write(json.dumps(asked).encode() + b"\\n")
lines.flush()
for stream in (0, 1):
    os.close(stream)  # the worker alone has them now, so that its end is seen
lines.readline()
sys.exit(int(lines.readline()) % 256)
"""


class Asked(NamedTuple):
    """What a process is to run: a module with its arguments as ``python -m``, or code as ``python -c``."""

    environment: dict[str, str]
    folder: str
    module: str = ""
    arguments: tuple[str, ...] = ()
    code: str = ""
    #: The most bytes that a file of this process may have; None: as many as the system allows.
    file_bytes: int | None = None


def preload() -> None:
    """Import all that a command may import. It must not start a thread, because a fork would not have it."""
    package = importlib.import_module("conformance")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "conformance.")]
    for name in (*LIBRARIES, *names):
        if name not in PLUGINS and not name.endswith(".__main__") and not name.startswith("conformance.suite."):
            importlib.import_module(name)
    # Every run ends with reports. The strategies take a second, and few commands derive anything that isn't kept.
    parts = importlib.import_module("conformance._parts")
    for info in pkgutil.iter_modules(parts.part("reports").__path__):
        parts.part(f"reports.{info.name}")
    for name in PLUGINS:
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> Asked:
    """Fork for each request. Returns in the process of a command, with what it asked for.

    With each byte on ``channel`` come four descriptors: a socket with the request, and the command's standard streams.
    Whoever runs the program of :data:`STAND_IN` asks by a connection to a socket with a name, in the same form.
    """
    folder = Path(tempfile.mkdtemp(prefix="preloaded-"))
    with socket.socket(socket.AF_UNIX) as doors:
        try:
            doors.bind(str(folder / "socket"))
            doors.listen(64)
            stand_in = folder / "python"
            stand_in.write_text(STAND_IN.format(python=sys.executable, address=str(folder / "socket"), seed=SEED))
            stand_in.chmod(0o700)
            descriptors = _next_fork(channel, doors)
        except SystemExit:
            shutil.rmtree(folder)
            raise
    channel.close()
    return command(stand_in, *descriptors)


def _next_fork(channel: socket.socket, doors: socket.socket) -> list[int]:
    """Fork for each request; returns in the forked process alone, with its four descriptors."""
    while True:
        for ready in select.select([channel, doors], [], [])[0]:
            with doors.accept()[0] if ready is doors else contextlib.nullcontext(channel) as asking:
                _, descriptors, _, _ = socket.recv_fds(asking, 1, 4)
            if not descriptors:
                if ready is channel:
                    sys.exit()  # whoever asked for commands has ended
                continue
            if not os.fork():
                return descriptors
            for one in descriptors:
                os.close(one)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def command(stand_in: Path, control: int, *streams: int) -> Asked:
    """Become a command. Another process stays to tell its id and, in the end, its exit code, one a line."""
    with socket.socket(fileno=control) as talk, talk.makefile("rwb") as lines:
        asked = Asked(**json.loads(lines.readline()))
        child = os.fork()
        if child:
            for one in streams:
                os.close(one)
            lines.write(b"%d\n" % child)
            lines.flush()
            lines.write(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            lines.flush()
            os._exit(0)
    reopen(streams)
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.folder)
    if asked.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked.file_bytes, asked.file_bytes))
    if asked.module:
        sys.path[0] = asked.folder  # as ``python -m`` has it
        # xdist gives its workers the path that it saw when it was loaded.
        importlib.import_module("xdist.workermanage")._sys_path[:] = sys.path
        sys.executable = str(stand_in)
    return asked


def run(asked: Asked) -> None:
    """Do what was asked, as the main module of this process."""
    if asked.module:
        sys.argv[1:] = asked.arguments
        sys.modules.pop(asked.module, None)  # a module that is the main one is not there yet
        runpy.run_module(asked.module, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:], sys.path[0] = ["-c"], ""
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(asked.code, vars(main))


def reopen(streams: Sequence[int]) -> None:
    """Put these descriptors in the place of the standard streams. The old file objects know what kind of file they had.

    The outputs are unbuffered, as ``PYTHONUNBUFFERED`` has them.
    """
    for number, one in enumerate(streams):
        os.dup2(one, number)
        os.close(one)
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115 - open to the end
    for name, number in (("stdout", 1), ("stderr", 2)):
        old, raw = getattr(sys, name), io.FileIO(number, "w", closefd=False)
        made = io.TextIOWrapper(raw, encoding=old.encoding, errors=old.errors, write_through=True)  # type: ignore[type-var]
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asked for commands
    preload()
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        wanted = serve(asking)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run(wanted)
