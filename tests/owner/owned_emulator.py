"""An emulator in a process that outlives the runs against it, full of objects of somebody else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpcore
from attrs import define, field, frozen
from served import CANARY, environment

from conformance.spec.loading import load
from conformance.spec.operations import operations_of

__all__ = ["Holdings", "Owned", "creates", "owned_emulator"]

#: What it holds: id → digest of the stored value, by ``kind/parent``.
Holdings = dict[str, dict[str, str]]

#: Objects of others are made by this api-version where the version of a run has none that can be created.
_OTHERS = "2024-05-01-preview"

_BOUNDARY = "0d1f7c1b5e"

_FILE = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="theirs.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\nnot yours\r\n--{_BOUNDARY}--\r\n"
).encode()

#: A body for each kind of object of others: none of these changes by itself.
_BODIES: dict[str, Any] = {
    "/assistants": {"model": "gpt-4o", "name": "theirs", "metadata": {"run": "theirs"}},
    "/threads": {"messages": [{"role": "user", "content": "not yours"}]},
    "/vector_stores": {"name": "theirs"},
    "/files": _FILE,
    "/responses": {"model": "gpt-4o", "input": "not yours", "store": True},
}


@frozen
class _Api:
    """Where the objects of others are made."""

    version: str
    base: str
    query: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, version: str) -> _Api:
        """The api-version itself, or another one where it has nothing that can be created."""
        spec = load(version)
        posts = {one.path for one in operations_of(spec).values() if one.method == "POST"}
        paths = tuple(path for path in _BODIES if path in posts)
        accepted = spec.api_version.accepted
        query = f"?{spec.api_version.name}={accepted[-1]}" if accepted else ""
        return cls(version, spec.base_path, query, paths) if paths else cls.of(_OTHERS)


def creates(version: str) -> bool:
    """True if an api-version has objects that could be left."""
    return _Api.of(version).version == version


@define
class Owned:
    """``url`` is the target. ``theirs`` is what it held before the first run. ``creates`` is False for an api-version
    without any object that could be left.
    """

    url: str
    _teller: str
    _api: _Api
    creates: bool = True
    theirs: Holdings = field(factory=dict)

    def fill(self, many: int) -> None:
        """Make so many objects of somebody else, over HTTP."""
        with httpcore.ConnectionPool() as pool:
            for number in range(many):
                path = self._api.paths[number % len(self._api.paths)]
                made = self._ask(pool, "POST", path, _BODIES[path])
                if path == "/files":
                    # A new file is "pending" until somebody reads it. This must not be the first reader's doing.
                    self._ask(pool, "GET", f"{path}/{made['id']}", b"")
        self.theirs = self.held()["objects"]

    def ask(self, method: str, path: str, body: Any) -> Any:
        """A request of somebody else."""
        with httpcore.ConnectionPool() as pool:
            return self._ask(pool, method, path, body)

    def _ask(self, pool: httpcore.ConnectionPool, method: str, path: str, body: Any) -> Any:
        form = isinstance(body, bytes)
        kind = f"multipart/form-data; boundary={_BOUNDARY}" if form else "application/json"
        answer = pool.request(
            method,
            f"{self.url}{self._api.base}{path}{self._api.query}",
            headers={"api-key": CANARY, "content-type": kind},
            content=body if form else json.dumps(body).encode(),
        )
        assert answer.status == 200, (path, answer.status, answer.content[:300])
        return json.loads(answer.content)

    def held(self) -> dict[str, Any]:
        """What the emulator itself says that it holds: ``objects`` (Holdings), and ``requests`` so far."""
        with urlopen(self._teller, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def wait(self, enough: Callable[[dict[str, Any]], bool], process: subprocess.Popen[Any], seconds: float) -> None:
        """Wait until it holds what a condition asks for, while a run is alive."""
        deadline = time.monotonic() + seconds
        while not enough(self.held()):
            assert process.poll() is None, f"the run ended: {process.returncode}"
            assert time.monotonic() < deadline, "the run doesn't get there"
            time.sleep(0.05)

    @property
    def foreign_changes(self) -> dict[str, list[str]]:
        """The ids of objects of others that are gone or have changed by a byte, by kind; empty is right."""
        now = self.held()["objects"]
        return {
            kind: changed
            for kind, before in self.theirs.items()
            if (changed := [id for id, digest in before.items() if now.get(kind, {}).get(id) != digest])
        }

    @property
    def left(self) -> dict[str, list[str]]:
        """The ids of all objects that others did not make, by kind."""
        return self.left_in(self.held())

    def left_in(self, told: dict[str, Any]) -> dict[str, list[str]]:
        """The same, by what :meth:`held` told at some moment."""
        return {
            kind: new
            for kind, found in told["objects"].items()
            if (new := sorted(set(found) - set(self.theirs.get(kind, {}))))
        }


@contextmanager
def owned_emulator(version: str, state: Path, foreign: int = 500) -> Iterator[Owned]:
    """The emulator of an api-version in a process of its own, ended by its process id at the end of the block."""
    api = _Api.of(version)
    served = sorted({version, api.version})
    script = Path(__file__).with_name("watched_emulator.py")
    with subprocess.Popen(
        [sys.executable, str(script), CANARY, *served],
        env=environment(state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("ready "), f"the emulator did not start: {line!r}"
            _, url, teller = line.split()
            owned = Owned(url, teller, api, creates=api.version == version)
            owned.fill(foreign)
            yield owned
        finally:
            process.kill()
            process.wait()
