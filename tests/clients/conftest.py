"""An emulator of each version on a real socket, and clients for its surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from client_recorder import INCOMING, KEY, MAKES_ASSISTANTS, Connect, Recorder, client_of
from openai import OpenAI

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.resources.realtime import ring
from conformance.emulator.server import asgi, running
from conformance.spec.loading import load
from conformance.spec.operations import operations_of

#: Methods of the client that answered the tests of this process, by dotted path; raw verbs are not methods of a
#: resource. Under xdist every worker sends its own to the controller.
EXERCISED: set[str] = set()
_RAW = frozenset({"post", "get"})


@pytest.fixture(scope="session")
def base() -> Iterator[Callable[[str], str]]:
    """``base(version)`` is the URL of an emulator that serves this version, on a server of its own.

    A version that runs assistants and can't create them is served together with one that can, as the service does.
    """
    with ExitStack() as running_now:

        @cache
        def at(version: str) -> str:
            operations = operations_of(load(version))
            lacking = "threads.runs.create" in operations and "assistants.create" not in operations
            served = (version, MAKES_ASSISTANTS) if lacking else (version,)
            app = App.of(*served, settings=Settings(key=KEY))
            for call in INCOMING:
                ring(app.store.collection("realtime-calls"), call)
            return running_now.enter_context(running(asgi(app)))

        yield at


@pytest.fixture
def connect(base: Callable[[str], str]) -> Iterator[Connect]:
    """``connect(version)`` is a client for a version, of the kind that its users take; ``at`` is the version whose
    emulator it speaks to, if that is another one.
    """
    opened: list[tuple[OpenAI, Recorder]] = []

    def made(version: str, at: str = "") -> Recorder:
        client = client_of(version, base(at or version))
        opened.append((client, Recorder(client)))
        return opened[-1][1]

    yield made
    for client, recorder in opened:
        EXERCISED.update(recorder.notes.answered - _RAW)
        client.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it has seen."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["client_methods"] = sorted(EXERCISED)


class _FromWorkers:
    """Receives at the controller what workers hand over."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        EXERCISED.update(getattr(node, "workeroutput", {}).get("client_methods", ()))


def pytest_configure(config: pytest.Config) -> None:
    """Listen to workers, where there are any."""
    config.pluginmanager.register(_FromWorkers())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many methods of the client were exercised; with -v, which."""
    if EXERCISED:
        terminalreporter.write_line(f"methods of the openai client exercised: {len(EXERCISED)}")
        if terminalreporter.verbosity > 0:
            terminalreporter.write_line(", ".join(sorted(EXERCISED)))
