"""An emulator of each version on a real socket, and clients for its surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_recorder import INCOMING, KEY, MAKES_ASSISTANTS, Connect, Notes, Recorder, client_of
from client_stories import stories
from openai import OpenAI
from traffic import Recording

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


@pytest.fixture
def recorded(base: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[Connect, Notes, Path]]:
    """Clients whose traffic is recorded, the notes that they share, and the file of the recording. Clients of another
    version than the emulator's are not recorded.
    """
    file, notes = tmp_path / "traffic.jsonl", Notes()
    with ExitStack() as opened:

        def made(version: str, at: str = "") -> Recorder:
            transport = httpx.HTTPTransport() if at else Recording(file)
            http = opened.enter_context(httpx.Client(transport=transport, timeout=20))
            return Recorder(client_of(version, base(at or version), http), notes=Notes() if at else notes)

        yield made, notes, file
    EXERCISED.update(notes.answered - _RAW)


# After the hooks that select: what is not run tells no story.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the stories that another test of this session tells too and judges: one that records."""
    # Pytest hands over the tests of all folders.
    ours = [item for item in items if item.path.parent == Path(__file__).parent and isinstance(item, pytest.Function)]
    versions = {_version(item) for item in ours if "recorded" in item.fixturenames}
    told = {(story, version) for version in versions for story, _ in stories(version)}
    again = {item for item in ours if (item.function, _version(item)) in told}
    if again:
        items[:] = [item for item in items if item not in again]
        config.hook.pytest_deselected(items=[*again])


def _version(item: pytest.Function) -> str:
    """The api-version that a test is for; "" if it names none."""
    return str(item.callspec.params.get("version", "")) if hasattr(item, "callspec") else ""


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
