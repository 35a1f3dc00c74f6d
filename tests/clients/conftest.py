"""An emulator of each version on a real socket, and clients for its surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from client_recorder import Recorder
from openai import AzureOpenAI, OpenAI

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running
from conformance.spec.loading import load

KEY = "emulator-key"

#: Methods of the client that the tests of this process have called, by dotted path; raw verbs are not methods of a
#: resource. Under xdist every worker sends its own to the controller.
EXERCISED: set[str] = set()
_RAW = frozenset({"post", "get"})


@pytest.fixture(scope="session")
def base() -> Iterator[Callable[[str], str]]:
    """``base(version)`` is the URL of an emulator that serves this version, on a server of its own."""
    with ExitStack() as running_now:

        @cache
        def at(version: str) -> str:
            return running_now.enter_context(running(asgi(App.of(version, settings=Settings(key=KEY)))))

        yield at


@pytest.fixture
def connect(base: Callable[[str], str]) -> Iterator[Callable[[str], Recorder]]:
    """A client for a version: of the kind that its users take."""
    opened: list[tuple[OpenAI, Recorder]] = []

    def made(version: str) -> Recorder:
        spec = load(version)
        headers = {"aoai-evals": "preview"}
        if spec.api_version.location == "query" and spec.surface == "dated":
            client: OpenAI = AzureOpenAI(
                azure_endpoint=base(version),
                api_key=KEY,
                api_version=version,
                max_retries=0,
                timeout=20,
                default_headers=headers,
            )
        else:
            client = OpenAI(
                base_url=f"{base(version)}{spec.base_path}",
                api_key=KEY,
                max_retries=0,
                timeout=20,
                default_headers=headers,
            )
        opened.append((client, Recorder(client)))
        return opened[-1][1]

    yield made
    for client, recorder in opened:
        EXERCISED.update(recorder.called - _RAW)
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
