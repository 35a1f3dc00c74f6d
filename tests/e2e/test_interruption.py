"""Runs that are interrupted or killed, or whose target stops: nothing hangs, no foreign object is touched, and the
report says what happened.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from served import CANARY, ORDINARY, command, environment, words
from target.wire_server import WireServer, http

from conformance._parts import part
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running
from conformance.requests.request import Request

VERSION = ORDINARY

#: Much that creates, and more to send than any of these tests waits for.
WORK = ("--operation=assistants.*", "--operation=threads.*", "--concurrency=2", "--cleanup-timeout=20")

PATIENCE = 240.0

#: The methods of requests that remove something, or look whether it is gone.
REMOVAL = ("DELETE", "GET")


class Watched:
    """The emulator in this process, behind a gate that notes every request and can hold deletions back."""

    def __init__(self) -> None:
        self.app = App.of(VERSION, settings=Settings(key=CANARY, latency=0.02))
        self.url = ""
        self.hold = 0.0
        self.seen: list[tuple[float, str, str]] = []
        self._changed = threading.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI: note, hold, pass on."""
        if scope["type"] == "http":
            with self._changed:
                self.seen.append((time.monotonic(), scope["method"], scope["path"]))
                self._changed.notify_all()
            if scope["method"] == "DELETE" and self.hold:
                await asyncio.sleep(self.hold)
        await self._inner(scope, receive, send)

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Serve on a free port."""
        self._inner = asgi(self.app)
        with running(self) as url:
            self.url = url
            yield url

    def wait(self, process: subprocess.Popen[Any], what: Any) -> None:
        """Wait until the list of requests satisfies a condition; a run that ended before fails at once."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not self._changed.wait_for(lambda: what(self.seen), 0.5):
                assert process.poll() is None, f"the run ended: {process.returncode}, {self.seen[-3:]}"
                assert time.monotonic() < deadline, self.seen[-3:]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request of somebody else, past the gate."""
        headers = (("api-key", CANARY), ("content-type", "application/json"))
        data = json.dumps(body).encode() if body is not None else b""
        url = f"http://emulator/openai{path}{'&' if '?' in path else '?'}api-version={VERSION}"
        return self.app.handle(Request(method, url, headers, data)).json

    def assistants(self) -> set[str]:
        """The ids of all assistants."""
        return {item["id"] for item in self.ask("GET", "/assistants?limit=100")["data"]}

    def foreign(self) -> str:
        """Somebody else's assistant; its id has the form of those that a run creates."""
        return str(self.ask("POST", "/assistants", {"model": "gpt-4o", "name": "not yours"})["id"])


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    with made.listening():
        yield made


@contextmanager
def started(state: Path, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, ended at the latest when the test is."""
    arguments = words("run", "--target", url, "--api-version", VERSION, "--out", str(state / "out"), *WORK, *more)
    output = (state / "output").open("w")
    process = subprocess.Popen(
        arguments,
        env=environment(state),
        cwd=state,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        text=True,
        # A test run in the background of a script inherits an ignored SIGINT; a person's terminal doesn't.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads matter here
    )
    with ExitStack() as stack:
        stack.enter_context(output)
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield process


class Terminal:
    """A terminal of its own for a command. Somebody reads what it prints, until the terminal is closed."""

    def __init__(self) -> None:
        self._ours, self.theirs = os.openpty()
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closing.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                os.read(self._ours, 65_536)
        os.close(self._ours)

    def take(self) -> None:
        """In the process of the command: make this its terminal, as a login does.

        Whoever began the tests with ``nohup`` had SIGHUP ignored, which the command would go on doing.
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def close(self) -> None:
        """Close the window: the system sends SIGHUP, and nothing more can be printed."""
        self._closing.set()
        self._reader.join()


@contextmanager
def started_in_terminal(state: Path, url: str) -> Iterator[tuple[subprocess.Popen[bytes], Terminal]]:
    """A run in a terminal of its own."""
    terminal = Terminal()
    process = subprocess.Popen(
        words("run", "--target", url, "--api-version", VERSION, "--out", str(state / "out"), *WORK),
        env=environment(state),
        cwd=state,
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
        preexec_fn=terminal.take,  # noqa: PLW1509 - it only sets a signal and the terminal
    )
    os.close(terminal.theirs)
    with ExitStack() as stack:
        stack.callback(terminal.close)
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield process, terminal


def created(many: int) -> Any:
    """Enough was created, and it is in the middle of the work."""
    return lambda seen: sum(method == "POST" and path.endswith("/assistants") for _, method, path in seen) >= many


def footer_of(state: Path) -> Any:
    return part("reports.jsonl").read(state / "out" / VERSION).footer


def journals_of(state: Path) -> list[Path]:
    return sorted((state / "state").rglob("journal-*.jsonl"))


def test_interrupt_stops_sending_cleans_up_and_reports(watched: Watched, tmp_path: Path) -> None:
    """Ctrl-C: only removals and looks are sent after 5 s, what was created is gone, the footer says interrupted."""
    theirs = {watched.foreign(), watched.foreign()}
    with started(tmp_path, watched.url) as process:
        watched.wait(process, created(8))
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        code = process.wait(PATIENCE)
    output = (tmp_path / "output").read_text()
    assert 130 == code, output
    assert [] == [one for one in watched.seen if one[0] > stopped + 5 and one[1] not in REMOVAL]
    assert theirs == watched.assistants()
    footer = footer_of(tmp_path)
    assert (True, 130) == (footer["interrupted"], footer["exit_code"])
    assert footer["not_run"]
    assert "interrupted" in output
    assert "Traceback" not in output


def test_sigterm_does_the_same_in_all_processes_of_a_run(watched: Watched, tmp_path: Path) -> None:
    """The controller alone gets the signal, as from a CI or a container. Its workers remove what they created."""
    theirs = {watched.foreign()}
    with started(tmp_path, watched.url, "-n", "2") as process:
        watched.wait(process, created(8))
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE)
    output = (tmp_path / "output").read_text()
    assert 130 == code, output
    assert theirs == watched.assistants()
    footer = footer_of(tmp_path)
    assert (True, 130, []) == (footer["interrupted"], footer["exit_code"], footer["left_behind"])
    assert footer["not_run"]
    assert "Traceback" not in output
    assert footer["unanswered"] or not journals_of(tmp_path)


def test_closed_terminal_does_the_same(watched: Watched, tmp_path: Path) -> None:
    """Nobody can read what is still printed; the report is written all the same."""
    theirs = {watched.foreign()}
    with started_in_terminal(tmp_path, watched.url) as (process, terminal):
        watched.wait(process, created(8))
        terminal.close()
        code = process.wait(PATIENCE)
    assert 130 == code
    assert theirs == watched.assistants()
    footer = footer_of(tmp_path)
    assert (True, 130, []) == (footer["interrupted"], footer["exit_code"], footer["left_behind"])
    assert "error" not in footer["outcomes"]
    assert (tmp_path / "out" / VERSION / "index.html").exists()


#: Limits that no answer reaches while a test runs.
NO_LIMITS = """
[target]
retries = 0
[target.timeouts]
idle = 3600
whole = 3600
[limits]
answer_bytes = 1000000000000
"""


@pytest.mark.parametrize(
    "pause",
    [
        pytest.param(0.0, id="as fast as it is read"),
        pytest.param(0.05, id="in a trickle", marks=pytest.mark.prove),
    ],
)
def test_interrupt_ends_answers_that_never_end(tmp_path: Path, pause: float) -> None:
    """Only the signal can end them. The creations count as unanswered: nobody knows what they made."""
    began = threading.Event()

    def endless(connection: socket.socket, request: bytes, number: int) -> None:
        if request.startswith(b"GET") or request.endswith(b"\r\n\r\n{}"):  # the preflight
            connection.sendall(http({"error": {"code": "BadRequest"}}, 400))
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n"
        )
        connection.sendall(b'{"a": "')
        if request.partition(b"?")[0].endswith(b"/assistants"):  # something may have been created
            began.set()
        while not server.over.wait(pause):
            connection.sendall(b"a" * (65_536 if not pause else 1))

    server = WireServer(endless)
    (tmp_path / "conformance.toml").write_text(NO_LIMITS)
    with closing(server), started(tmp_path, server.url) as process:
        assert began.wait(PATIENCE), (tmp_path / "output").read_text()
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE)
    output = (tmp_path / "output").read_text()
    assert 130 == code, output
    footer = footer_of(tmp_path)
    assert footer["interrupted"]
    assert footer["unanswered"]
    assert journals_of(tmp_path), "somebody may want to look for them"
    assert "Traceback" not in output


def test_second_interrupt_ends_at_once_and_keeps_the_journal(watched: Watched, tmp_path: Path) -> None:
    """Ctrl-C while it removes: it ends, and ``cleanup`` finds in the journal what is left."""
    theirs = {watched.foreign()}
    with started(tmp_path, watched.url) as process:
        watched.wait(process, created(8))
        watched.hold = 60.0
        process.send_signal(signal.SIGINT)
        first = time.monotonic()
        watched.wait(process, lambda seen: _removes(seen, first))
        process.send_signal(signal.SIGINT)
        code = process.wait(40)
    watched.hold = 0.0
    assert 130 == code, (tmp_path / "output").read_text()
    assert watched.assistants() > theirs
    assert journals_of(tmp_path)
    done = command(tmp_path, "cleanup", "--yes", "--target", watched.url)
    assert 0 == done.code, done.out + done.err
    assert theirs == watched.assistants()


def _removes(seen: list[tuple[float, str, str]], since: float) -> bool:
    """What was under way is over, and a removal has begun."""
    return time.monotonic() > since + 2.5 and seen[-1][0] > since and seen[-1][1] == "DELETE"


def test_target_that_dies_in_the_middle_is_inconclusive(tmp_path: Path) -> None:
    """The report says what was judged until then; the exit code is 3, no rule is called broken, nothing hangs."""
    watched = Watched()
    with ExitStack() as server:
        server.enter_context(watched.listening())
        with started(tmp_path, watched.url) as process:
            watched.wait(process, created(8))
            server.close()
            code = process.wait(PATIENCE)
    output = (tmp_path / "output").read_text()
    assert 3 == code, output
    footer = footer_of(tmp_path)
    assert "inconclusive" == footer["conclusion"]
    assert footer["outcomes"]["unavailable"]
    assert "fail" not in footer["outcomes"]
    assert footer["left_behind"]
    assert "Traceback" not in output
