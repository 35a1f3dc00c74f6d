"""A process that has imported the package already, and forks itself for every command that ``served.py`` asks for.

Most of what a short command costs is the start of Python and the imports. A fork of this process is a process of its
own all the same, with its own arguments, environment, working folder, input and outputs, and it ends as any other.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from collections.abc import Sequence

#: What a run loads beside our own modules.
LIBRARIES = ("pytest", "_pytest.junitxml", "_pytest.unittest", "execnet", "allure_commons.types")

#: pytest rewrites the assertions of a plugin when it loads it, and warns if somebody else has loaded it before.
PLUGINS = ("conformance.plugin", "xdist.plugin")


def preload() -> None:
    """Import all that a command may import. It must not start a thread, because a fork would not have it."""
    package = importlib.import_module("conformance")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "conformance.")]
    for name in (*LIBRARIES, *names):
        if name not in PLUGINS and not name.endswith(".__main__") and not name.startswith("conformance.suite."):
            importlib.import_module(name)
    for name in PLUGINS:
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> tuple[str, list[str]]:
    """Fork for each request. Returns in the process of a command, with the module to run and its arguments.

    With each byte on ``channel`` come four descriptors: a socket with the request, and the command's standard streams.
    """
    while True:
        _, descriptors, _, _ = socket.recv_fds(channel, 1, 4)
        if not descriptors:
            sys.exit()  # whoever asked for commands has ended
        if not os.fork():
            channel.close()
            return command(*descriptors)
        for one in descriptors:
            os.close(one)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def command(control: int, *streams: int) -> tuple[str, list[str]]:
    """Become a command. Another process stays to tell its id and, in the end, its exit code, one a line."""
    with socket.socket(fileno=control) as talk, talk.makefile("rwb") as lines:
        asked = json.loads(lines.readline())
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
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.path[0] = asked["folder"]  # as ``python -m`` has it
    # xdist gives its workers the path that it saw when it was loaded.
    importlib.import_module("xdist.workermanage")._sys_path[:] = sys.path
    return asked["module"], asked["arguments"]


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
        module, sys.argv[1:] = serve(asking)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
