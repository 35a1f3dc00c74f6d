"""The fates that an earlier run found, so that a run which was stopped goes on where it was."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from mutation import Mutation
from trial import PACKAGES, ROOT, Fate

_HERE = Path(__file__).resolve().parent


class Journal:
    """One line of JSON for each fate: the digest of the code that it depends on, that of the mutant, and the fate.

    Without a path nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._fates: dict[tuple[str, str], Fate] = {}
        with suppress(FileNotFoundError):
            for line in path.read_text(encoding="utf-8").splitlines() if path else ():
                with suppress(ValueError):  # the last line of a run that was killed may be cut off
                    code, mutant, fate = json.loads(line)
                    self._fates[code, mutant] = Fate(fate)

    def known(self, code: str, mutation: Mutation) -> Fate | None:
        return self._fates.get((code, _name(mutation)))

    def note(self, code: str, mutation: Mutation, fate: Fate) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([code, _name(mutation), fate]) + "\n")


def _name(mutation: Mutation) -> str:
    return f"{mutation.identity.module} {_meaning(mutation.source)}"


def _meaning(source: str) -> str:
    """The digest of Python code without its comments and its form."""
    return sha256(ast.dump(ast.parse(source)).encode()).hexdigest()


def digest(tests: Sequence[str]) -> str:
    """The digest of all that the fate of a mutant may depend on: our code, the data, these tests and their helpers."""
    files = {path for name in (*PACKAGES, "specs") for path in _files(ROOT / name)}
    files |= {*(ROOT / "tests").glob("*.py"), *(_HERE / f"{name}.py" for name in _OWN)}
    for path in (ROOT / test for test in tests):
        beside = _files(path if path.is_dir() else path.parent)
        files |= {other for other in beside if path in (other, *other.parents) or not other.name.startswith("test_")}
    total = sha256()
    for path in sorted(files):
        text = path.read_text(encoding="utf-8")
        content = _meaning(text) if path.suffix == ".py" else sha256(text.encode()).hexdigest()
        total.update(f"{path.relative_to(ROOT)}\0{content}\n".encode())
    return total.hexdigest()


#: The modules of the tester that decide a fate.
_OWN = ("mutation", "operators", "trial")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".py", ".toml", ".yaml", ".json"))
