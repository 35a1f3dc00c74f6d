"""Does a test fail when a module is replaced by a mutant? Each mutant gets a process, forked from a warm one.

The warm process has imported every library, and every module of the project that doesn't need the mutated one, and
nothing else. Its child imports the mutant in place of the module and runs the tests that concern it, up to the first
failure. So a trial costs what its tests cost, and no file of the checkout is ever changed.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from enum import StrEnum
from importlib.machinery import ModuleSpec
from multiprocessing import connection, get_context
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from hypothesis import Phase, settings
from parentage import end_on_signals, end_with_parent, forget_signals

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("conformance", "strategies", "reports")
_FORK = get_context("fork")

#: Seconds by the clock that one test may take. The tests of the plan take a fraction of one, and those that could wait
#: for ever have a shorter bound of their own.
_LONGEST = 60

#: The exit code of a trial whose test waited that long.
_WAITED = 97

#: Memory that a trial may take, in bytes. A loop that no longer ends must not take the machine's.
_MEMORY = 3 << 29


class Fate(StrEnum):
    """What became of a mutant. ``SLOW``: its tests took many times what they take; a loop of it doesn't end."""

    KILLED = "killed"
    SLOW = "slow"
    SURVIVED = "survived"


class _Substitute(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives it another source text; without one, the module can't be imported."""

    def __init__(self, module: str, source: str | None) -> None:
        self.module, self.source = module, source

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.module:
            return None
        if self.source is None:
            raise ImportError(f"{name} will be replaced", name=name)
        found = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        return importlib.util.spec_from_file_location(name, found, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source or "", str(module.__file__), "exec"), vars(module))


class _Plain:
    """Hypothesis looks for the same examples in each trial, keeps none, and makes none smaller. A test that waits for
    ever ends the trial.
    """

    def pytest_configure(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("trial", deadline=None, database=None, derandomize=True, phases=phases)
        settings.load_profile("trial")
        signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(_WAITED))

    def pytest_runtest_setup(self) -> None:
        signal.alarm(_LONGEST)


def warm(module: str, folder: Path) -> None:
    """Import all that doesn't need the module. To be called in a process of its own."""
    sys.pycache_prefix, sys.dont_write_bytecode = str(folder / "bytecode"), False
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    blocker = _Substitute(module, None)
    sys.meta_path.insert(0, blocker)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if "out" not in path.parts and not name.endswith("__main__"):
                with suppress(ImportError):
                    importlib.import_module(name)
    sys.meta_path.remove(blocker)
    if "conformance.spec.loading" in sys.modules:
        sys.modules["conformance.spec.loading"].load("2024-05-01-preview")


def _child(parent: int, arguments: Sequence[Any]) -> NoReturn:
    """The child: a group of processes of its own, which ends with the parent."""
    os.setsid()
    forget_signals()
    end_with_parent(signal.SIGKILL, parent)
    _tested(*arguments)


def _tested(module: str, source: str, tests: Sequence[str], folder: Path, seconds: int) -> NoReturn:
    """Import the mutant, run the tests, end with pytest's exit code."""
    code = 70
    try:
        folder.mkdir(parents=True)
        sink = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(sink, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        sys.meta_path.insert(0, _Substitute(module, source))
        plugins = ["-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
        plugins += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # our own plugin is imported already
        options = ["-x", "-q", "--no-header", "--tb=short", *plugins, f"--basetemp={folder / 'tmp'}"]
        code = int(pytest.main([*options, *(str(ROOT / test) for test in tests)], plugins=[_Plain()]))
    except BaseException:  # noqa: BLE001 - nothing may get out of a child: it would go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _started(*arguments: Any) -> Any:
    process = _FORK.Process(target=_child, args=(os.getpid(), arguments))
    process.start()
    return process


def _ended(process: Any) -> None:
    """End a trial with all its processes. It leads a group of its own, so nothing else is met."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def baseline(module: str, tests: Sequence[str], folder: Path) -> tuple[int, float, str]:
    """Run the tests on the module as it is: pytest's exit code, seconds of processor time, what it printed.

    On a machine under load a test may once take too long by the clock, so a failure is tried again.
    """
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    for attempt in range(3):
        own = folder / f"baseline.{attempt}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = _started(module, source, tests, own, 300)
        try:
            process.join(600)
        finally:
            _ended(process)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        output = own / "output"
        text = output.read_text(errors="replace") if output.exists() else ""
        if process.exitcode == 0:
            break
    return process.exitcode, spent, text


def trials(
    module: str, sources: Sequence[str], tests: Sequence[str], folder: Path, *, jobs: int, usual: float
) -> Iterator[tuple[int, Fate]]:
    """The fate of each source text by its number, as it comes.

    ``usual`` is the processor time of the tests in seconds. A trial may take several times as much of it; the limit on
    the time by the clock is wide, because it ends only what waits for ever.
    """
    seconds, limit = int(3 + 3 * usual), 30 + 10 * usual
    waiting = list(enumerate(sources))[::-1]
    running: dict[Any, tuple[int, Any, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, source = waiting.pop()
                process = _started(module, source, tests, folder / str(number), seconds)
                running[process.sentinel] = (number, process, time.monotonic() + limit)
            connection.wait(list(running), timeout=0.5)
            for sentinel, (number, process, until) in list(running.items()):
                late = time.monotonic() > until
                if late or process.exitcode is not None:
                    _ended(process)
                    del running[sentinel]
                    yield number, Fate.SLOW if late else _fate(process.exitcode)
                    shutil.rmtree(folder / str(number), ignore_errors=True)
    finally:
        for _, process, _ in running.values():
            _ended(process)


def _fate(code: int) -> Fate:
    if code in (_WAITED, -signal.SIGXCPU, -signal.SIGKILL):
        return Fate.SLOW
    return Fate.SURVIVED if code == 0 else Fate.KILLED


def in_own_process(work: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
    """What a generator function yields, run in a fresh fork that ends with this process.

    Raises :class:`RuntimeError` with the words of its exception if the generator raises, and with its exit code if
    that process dies.
    """
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_yielding, args=(os.getpid(), receiver, sender, work, arguments))
    process.start()
    sender.close()
    try:
        while True:
            kind, item = receiver.recv()
            if kind == "end":
                return
            if kind == "error":
                raise RuntimeError(item)
            yield item
    except EOFError:
        process.join()
        raise RuntimeError(f"the process that starts the trials died with exit code {process.exitcode}") from None
    finally:
        process.terminate()
        process.join()
        receiver.close()


def _yielding(parent: int, receiver: Any, sender: Any, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
    """The child of :func:`in_own_process`. A signal that ends it ends its trials first."""
    end_on_signals()
    end_with_parent(signal.SIGTERM, parent)
    receiver.close()
    with closing(work(*arguments)) as items:
        try:
            for item in items:
                sender.send(("item", item))
        except Exception as error:  # noqa: BLE001 - the parent tells it and goes on with the next module
            traceback.print_exc()
            sender.send(("error", f"{type(error).__name__}: {error}"))
        else:
            sender.send(("end", None))
