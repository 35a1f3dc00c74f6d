"""The shape of the code: imports point one way, modules stay small, every command is in the README."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance
from conformance.cli import _commands

PACKAGE = Path(conformance.__file__).resolve().parent
HOME = PACKAGE.parent

#: From the bottom up. A module imports its own layer and those above it in this list, never one below.
#: A name stands for a module of ``conformance`` or for a folder of it; ``strategies`` and ``reports`` for themselves.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "_parts"),
    ("exchange", "pointers", "textfile", "formats"),
    ("specform", "specfolder", "speccache", "overlay", "docform", "spec"),
    ("sse", "schema", "narrowing", "operations"),
    ("verdict", "cases", "created"),
    ("trace", "wire", "rules"),
    ("scenario", "strategies", "corpus", "scenarios", "coverage", "shrink"),
    ("about", "refusals", "check", "judge", "streams", "breaking", "checks", "catalogue", "timeline"),
    (
        "waiver",
        "configvalues",
        "config",
        "journal",
        "guards",
        "limits",
        "retry",
        "foreign",
        "transport",
        "target",
        "cleanup",
        "emulator",
    ),
    ("preflight", "claims", "run", "planning", "options", "selection"),
    ("reports", "endnotes", "recording", "scheduling", "shrinking", "versionrun", "session", "replaying"),
    ("plugin", "spectools", "cli", "suite"),
)


def _source(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*.py"))


def _part(module: str) -> str:
    """``conformance.checks.chat`` → ``checks``; ``strategies.work`` → ``strategies``."""
    names = module.split(".")
    if names[0] == "conformance":
        names = names[1:] or ["__init__"]
    return names[0]


def _imports(file: Path, *, late: bool = True) -> Iterator[str]:
    """The modules that a file imports by name; with ``late`` also those that it imports inside a function."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree) if late else tree.body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "conformance":
                yield from (f"conformance.{name.name}" for name in node.names)
            else:
                yield node.module


def _ours(file: Path) -> str:
    inside = file.relative_to(PACKAGE) if file.is_relative_to(PACKAGE) else file.relative_to(HOME)
    return inside.parts[0].removesuffix(".py")


def _files() -> list[Path]:
    beside = [HOME / name for name in ("strategies", "reports") if not (PACKAGE / name).is_dir()]
    return [file for folder in (PACKAGE, *beside) for file in _source(folder)]


RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def test_imports_point_one_way() -> None:
    """What a module needs when it is loaded stands in its own layer or in a lower one."""
    wrong = [
        f"{file.name}: {_ours(file)} imports {module}"
        for file in _files()
        if _ours(file) in RANK
        for module in _imports(file, late=False)
        if module.split(".")[0] in ("conformance", "strategies", "reports")
        and RANK.get(_part(module), 0) > RANK[_ours(file)]
    ]
    assert not wrong, wrong


def test_every_module_has_a_layer() -> None:
    """A new module says where it stands."""
    known = {"__init__", "__main__", *RANK}
    assert set() == {_ours(file) for file in _files()} - known


@pytest.mark.parametrize("forbidden", ["check", "checks", "scenario", "scenarios", "strategies", "catalogue", "judge"])
def test_emulator_knows_nothing_of_the_judge(forbidden: str) -> None:
    """The emulator is written from the clauses: what judges it can't have shaped it."""
    files = list(_source(PACKAGE / "emulator"))
    assert files
    assert [] == [file.name for file in files for module in _imports(file) if _part(module) == forbidden]


def test_only_the_seam_imports_the_nested_packages() -> None:
    """``strategies`` and ``reports`` lie elsewhere in a wheel; ``_parts`` alone knows where."""
    inside = {"strategies", "reports"}
    found = [
        f"{file.name}: {module}"
        for file in _source(PACKAGE)
        if _ours(file) not in inside
        for module in _imports(file)
        if module.split(".")[0] in inside
    ]
    assert [] == found


def test_only_the_target_does_network_input_and_output() -> None:
    """httpx and httpcore are imported by the way to the target alone, uvicorn by the emulator's front."""
    allowed = {"httpx": {"transport", "target"}, "httpcore": {"transport", "target"}, "uvicorn": {"emulator"}}
    wrong = [
        f"{file.name}: {module}"
        for file in _files()
        for module in _imports(file)
        if _ours(file) not in allowed.get(module.split(".")[0], {_ours(file)})
    ]
    assert not wrong, wrong


def test_modules_are_small() -> None:
    """No module is longer than 400 lines; half of them are no longer than 150."""
    lengths = {str(file): len(file.read_text("utf-8").splitlines()) for file in _files()}
    assert {} == {name: length for name, length in lengths.items() if length > 400}
    assert sorted(lengths.values())[len(lengths) // 2] <= 150


def test_every_command_is_in_the_readme() -> None:
    """A reader finds each command of the command line."""
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    commands = list(_commands(""))
    assert {"run", "plan", "list", "explain", "replay", "serve", "verify", "cleanup", "spec"} <= set(commands)
    assert [] == [name for name in commands if f"aoai-conformance {name}" not in text and f"| `{name}" not in text]
