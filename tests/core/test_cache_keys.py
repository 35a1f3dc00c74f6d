"""Keys of the caches depend on every file and library that takes part in computing the cached values."""

from __future__ import annotations

import ast
import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance
from conformance._parts import part
from conformance.corpus.corpus import DERIVING
from conformance.spec.cache import READING, Makers, code_of, digest_of

PACKAGE = Path(conformance.__file__).resolve().parent
BESIDE = {name: Path(str(part(name).__file__)).resolve().parent for name in ("strategies", "reports")}
MAKERS = [pytest.param(READING, "spec", id="specs"), pytest.param(DERIVING, "strategies", id="corpora")]


def file_of(module: str) -> Path | None:
    """The file of one of our modules by its checkout name; None for a name that is none."""
    first, *rest = module.split(".")
    home = PACKAGE if first == "conformance" else BESIDE.get(first)
    path = home.joinpath(*rest) if home is not None else None
    if path is None:
        return None
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def module_of(file: Path) -> str:
    home = next((name for name, folder in BESIDE.items() if file.is_relative_to(folder)), "")
    inside = file.relative_to(BESIDE[home] if home else PACKAGE).with_suffix("").parts
    return ".".join([home or "conformance", *(name for name in inside if name != "__init__")])


def imported(file: Path) -> Iterator[str]:
    """Every module that a file may import, and for ``from a import b`` both ``a`` and ``a.b``."""
    package = module_of(file).split(".") if file.name == "__init__.py" else module_of(file).split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                yield base
                yield from (f"{base}.{name.name}" for name in names)
            case ast.Call(func=ast.Name(id="late" | "part"), args=[ast.Constant(value=str(name))]):
                yield name


def closure(room: str) -> tuple[set[Path], set[str]]:
    """All our files that the files of a room import, however far away, and the other packages that they import."""
    waiting = sorted((BESIDE.get(room) or PACKAGE / room).rglob("*.py"))
    waiting += [PACKAGE / "corpus" / "corpus.py"] if room in BESIDE else []
    files: set[Path] = set()
    foreign: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        for name in imported(file):
            found = file_of(name)
            if found is not None:
                waiting.append(found)
            elif name.split(".")[0] not in ("conformance", *BESIDE):
                foreign.add(name.split(".")[0])
    return files, foreign


@pytest.mark.parametrize(("makers", "room"), MAKERS)
def test_every_file_that_takes_part_is_in_the_key(makers: Makers, room: str) -> None:
    files, _ = closure(room)
    assert len(files) > 10
    known = {path.resolve() for _, path in makers.files(PACKAGE)}
    empty = {file for file in files if file.name == "__init__.py" and not file.read_text("utf-8").strip()}
    assert set() == files - known - empty


@pytest.mark.parametrize(("makers", "room"), MAKERS)
def test_every_library_that_takes_part_is_in_the_key(makers: Makers, room: str) -> None:
    homes = importlib.metadata.packages_distributions()
    _, foreign = closure(room)
    used = {homes[name][0].lower().replace("_", "-") for name in foreign if name not in sys.stdlib_module_names}
    assert {"jsonpointer", "attrs"} <= used
    # where the cache lies changes nothing in it
    assert set() == used - {*makers.libraries, "platformdirs"}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package and of what stands beside it in a checkout."""
    nested = shutil.ignore_patterns("__pycache__", "*.yaml", "out")
    shutil.copytree(PACKAGE, tmp_path / "conformance", ignore=nested)
    for name in ("strategies", "specs"):
        if not (PACKAGE / name).is_dir():
            shutil.copytree(PACKAGE.parent / name, tmp_path / name, ignore=nested)
    return tmp_path / "conformance"


def fresh(makers: Makers, package: Path) -> str:
    """The digest as a new process computes it."""
    code_of.cache_clear()
    return str(digest_of.__wrapped__(makers, package))


@pytest.mark.parametrize("makers", [READING, DERIVING], ids=["specs", "corpora"])
def test_a_changed_byte_anywhere_gives_another_key(makers: Makers, copied: Path) -> None:
    digest = fresh
    before = digest(makers, copied)
    assert before == digest(makers, PACKAGE)
    files = makers.files(copied)
    assert {"errors.py", "pointer.py", "spec/tables.py", "specs/version.schema.json"} & dict(files).keys()
    for name, path in files:
        whole = path.read_bytes()
        path.write_bytes(whole + b"\n")
        assert before != digest(makers, copied), name
        path.write_bytes(whole)
    assert before == digest(makers, copied)


@pytest.mark.parametrize("makers", [READING, DERIVING], ids=["specs", "corpora"])
def test_a_new_a_renamed_and_a_missing_module_give_other_keys(makers: Makers, copied: Path) -> None:
    digest = fresh
    keys = [digest(makers, copied)]
    new = copied / "spec" / "new.py"
    new.write_text("")
    keys.append(digest(makers, copied))
    new.rename(copied / "spec" / "renamed.py")
    keys.append(digest(makers, copied))
    (copied / "spec" / "overlay.py").unlink()
    keys.append(digest(makers, copied))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("makers", [READING, DERIVING], ids=["specs", "corpora"])
def test_what_takes_no_part_changes_no_key(makers: Makers, copied: Path) -> None:
    digest = fresh
    before = digest(makers, copied)
    for name in ("cli/run.py", "judging/judge.py", "checks/http/answers.py"):
        (copied / name).write_text("changed")
    assert before == digest(makers, copied)


@pytest.mark.parametrize("makers", [READING, DERIVING], ids=["specs", "corpora"])
def test_another_version_of_a_library_gives_another_key(makers: Makers, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = fresh
    keys = {digest(makers, PACKAGE)}
    told = importlib.metadata.version
    for library in makers.libraries:

        def version(name: str, changed: str = library) -> str:
            return told(name) + ("changed" if name == changed else "")

        monkeypatch.setattr(importlib.metadata, "version", version)
        keys.add(digest(makers, PACKAGE))
    assert 1 + len(makers.libraries) == len(keys)
