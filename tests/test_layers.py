"""The structure of the code: imports follow the layers, modules are small, every command is in the README."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance
from conformance.cli import _commands

PACKAGE = Path(conformance.__file__).resolve().parent
HOME = PACKAGE.parent
ARCHITECTURE = Path(__file__).resolve().parents[1] / "ARCHITECTURE.md"

#: The layers in the order of the flow. A module imports its own layer and those above it in this list, never one below:
#: neither when it is loaded, nor inside a function, nor for types alone. ``strategies`` and ``reports`` are the two
#: packages beside ``conformance``; every other name is a module or a package of it.
LAYERS: tuple[str, ...] = (
    "redaction",
    "errors",
    "verdict",
    "pointer",
    "_parts",
    "spec",
    "schema",
    "requests",
    "evidence",
    "strategies",
    "corpus",
    "scenarios",
    "streams",
    "judging",
    "checks",
    "emulator",
    "settings",
    "passage",
    "migration",
    "target",
    "reports",
    "recordings",
    "run",
    "gateway",
    "spectools",
    "upgrade",
    "suite",
    "plugin",
    "cli",
)
RANK = {name: rank for rank, name in enumerate(LAYERS)}

#: What the emulator may not know: it is written from the clauses, and what judges it can't have shaped it.
JUDGES = ("strategies", "corpus", "scenarios", "streams", "judging", "checks")

#: The lines of the longest module, the modules that lie directly in the package, and the lines of code of the median
#: module. Blank lines, comments and docstrings are no code: documentation must not make a module too long.
LINES, ROOT_MODULES, MEDIAN = 400, 8, 93


def _layer(module: str) -> str:
    """``conformance.checks.inference.chat`` → ``checks``; ``strategies.compose`` → ``strategies``."""
    first, _, rest = module.partition(".")
    return first if first != "conformance" else rest.partition(".")[0].replace("__version__", "")


def imports(source: str, package: str = "") -> Iterator[str]:
    """Every module that a source text imports, wherever the import stands.

    ``part("…")`` and ``late("…")`` are imports too; of ``part(f"reports.{name}")`` the package is known.

    ``package`` is the dotted name of the package that the text belongs to: relative imports start there.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                parts = package.split(".")
                above = parts[: len(parts) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                yield from (f"{base}.{name.name}" for name in names) if base in ("conformance", "") else (base,)
            case ast.Call(func=ast.Name(id="part" | "late"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Call(
                func=ast.Name(id="part" | "late"), args=[ast.JoinedStr(values=[ast.Constant(value=str(name)), *_])]
            ):
                yield name.rstrip(".")
            case _:
                pass


def wrong(source: str, layer: str, package: str = "") -> list[str]:
    """The imports of a source text that lead to a layer below its own, or to one that is in no list."""
    ours = [name for name in imports(source, package) if name.split(".")[0] in ("conformance", "strategies", "reports")]
    return [name for name in ours if _layer(name) and RANK.get(_layer(name), len(LAYERS)) > RANK[layer]]


def _files() -> list[Path]:
    beside = [HOME / name for name in ("strategies", "reports") if not (PACKAGE / name).is_dir()]
    return [file for folder in (PACKAGE, *beside) for file in sorted(folder.rglob("*.py"))]


def _ours(file: Path) -> str:
    inside = file.relative_to(PACKAGE) if file.is_relative_to(PACKAGE) else file.relative_to(HOME)
    return inside.parts[0].removesuffix(".py")


def _package(file: Path) -> str:
    return ".".join(file.relative_to(HOME).parent.parts)


def test_imports_point_one_way() -> None:
    """No module imports from a layer below its own."""
    found = {
        f"{file.relative_to(HOME)}: {name}"
        for file in _files()
        if _ours(file) in RANK
        for name in wrong(file.read_text("utf-8"), _ours(file), _package(file))
    }
    assert set() == found


@pytest.mark.parametrize(
    "planted",
    [
        "from conformance.checks.catalogue import all_checks",
        "import conformance.checks.catalogue",
        "from conformance import checks",
        "def late():\n    from conformance.checks.catalogue import all_checks",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from conformance.checks.catalogue import all_checks",
        "from ..checks.catalogue import all_checks",
        'def inner():\n    return part("reports.jsonl")',
        'jsonl = late("reports.jsonl")',
        'def inner(name):\n    return part(f"reports.{name}")',
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reports import jsonl",
        "from conformance.nowhere import nothing",
    ],
)
def test_a_wrong_import_is_found_wherever_it_stands(planted: str) -> None:
    """An import is seen at the top, in a function, for types only, relative, and through the seam."""
    assert [] != wrong(planted, "judging", "conformance.judging")


def test_every_module_has_a_layer() -> None:
    """A new package says where it stands."""
    assert {"__init__", "__main__", *LAYERS} >= {_ours(file) for file in _files()}


def test_architecture_tells_the_same_order() -> None:
    """ARCHITECTURE.md shows the layers as they are enforced here."""
    section = ARCHITECTURE.read_text("utf-8").split("## The packages", 1)[1].split("\n## ", 1)[0]
    assert [*LAYERS] == re.findall(r"^\| `(\w+)/?` \|", section, re.MULTILINE)


def test_emulator_knows_nothing_of_the_judge() -> None:
    """The emulator is written from the clauses: what judges it can't have shaped it."""
    files = [file for file in _files() if _ours(file) == "emulator"]
    assert files
    found = {name for file in files for name in imports(file.read_text("utf-8"), _package(file))}
    assert [] == [name for name in found if _layer(name) in JUDGES or name == "conformance.requests.case"]


#: The packages that lie elsewhere in a wheel.
BESIDE = ("strategies", "reports")


def unseamed(source: str) -> list[str]:
    """Imports of ``strategies`` and ``reports`` that don't go through the seam.

    For types alone they may be imported; a module that is so imported is bound under the same name in the other half,
    ``else: name = late("package.name")``, and nothing else is bound there.
    """
    tree = ast.parse(source)
    halves = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    typed: dict[str, str] = {}
    loaded: dict[str, str] = {}
    inside: set[ast.AST] = set()
    for half in halves:
        for node in half.body:
            if isinstance(node, ast.ImportFrom) and _layer(node.module or "") in BESIDE and not node.level:
                inside.add(node)
                if node.module in BESIDE:
                    typed |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
        for node in half.orelse:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=bound)],
                    value=ast.Call(func=ast.Name(id="late"), args=[ast.Constant(value=str(name))]),
                ):
                    loaded[bound] = name
    plain = [
        name
        for node in ast.walk(tree)
        if node not in inside
        for name in _names(node)
        if (name.split(".")[0] == "conformance" and _layer(name) in BESIDE) or name.split(".")[0] in BESIDE
    ]
    return plain + sorted(f"{bound} = {name}" for bound, name in typed.items() ^ loaded.items())


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{name.name}" for name in names]
    return []


def test_only_the_seam_imports_the_nested_packages() -> None:
    """``strategies`` and ``reports`` lie elsewhere in a wheel; ``_parts`` alone knows where."""
    found = [
        f"{file.relative_to(HOME)}: {name}"
        for file in _files()
        if _ours(file) not in BESIDE
        for name in unseamed(file.read_text("utf-8"))
    ]
    assert [] == found


TYPED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reports import jsonl\n"


@pytest.mark.parametrize(
    "planted",
    [
        "import reports.jsonl",
        "from reports import jsonl",
        "from conformance.reports import jsonl",
        "from conformance import strategies",
        "def inner():\n    from strategies.compose import Composer",
        TYPED,
        TYPED + 'else:\n    jsonl = late("reports.html")',
        TYPED + 'else:\n    other = late("reports.jsonl")',
        TYPED + "else:\n    from reports import jsonl",
        TYPED + 'else:\n    jsonl = late("reports.jsonl")\n    html = late("reports.html")',
    ],
)
def test_an_import_past_the_seam_is_found(planted: str) -> None:
    """The types that mypy sees are those of the module that is loaded."""
    assert [] != unseamed(planted)
    assert [] == unseamed(TYPED + 'else:\n    jsonl = late("reports.jsonl")')


def test_only_the_target_does_network_input_and_output() -> None:
    """httpx, httpcore and h11 are imported by the way to the target alone, uvicorn by the emulator's front."""
    allowed = {"httpx": "target", "httpcore": "target", "h11": "target", "uvicorn": "emulator"}
    found = [
        f"{file.relative_to(HOME)}: {name}"
        for file in _files()
        for name in imports(file.read_text("utf-8"), _package(file))
        if allowed.get(name.split(".")[0], _ours(file)) != _ours(file)
    ]
    assert [] == found


def _code_lines(source: str) -> int:
    """The lines of a module that are neither blank nor documentation."""
    lines = {number for number, line in enumerate(source.splitlines(), 1) if line.strip()[:1] not in ("", "#")}
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def test_code_lines_are_neither_blank_nor_documentation() -> None:
    """Comments after code count as code; a docstring doesn't, however many lines it has."""
    source = '"""Docs.\n\nMore.\n"""\n\n# a comment\nx = 1  # why\n\n\ndef f():\n    """Docs."""\n    return x\n'
    assert 3 == _code_lines(source)


def test_modules_are_small() -> None:
    """No module is longer than 400 lines, half of them have little code, and few lie at the root."""
    lengths = {str(file): len(file.read_text("utf-8").splitlines()) for file in _files()}
    assert {} == {name: length for name, length in lengths.items() if length > LINES}
    modules = sorted(_code_lines(file.read_text("utf-8")) for file in _files() if file.name != "__init__.py")
    assert modules[len(modules) // 2] <= MEDIAN
    assert len([*PACKAGE.glob("*.py")]) <= ROOT_MODULES


def test_every_command_is_in_the_readme() -> None:
    """A reader finds each command of the command line."""
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    commands = list(_commands())
    assert {"run", "plan", "list", "explain", "replay", "serve", "verify", "cleanup", "spec"} <= set(commands)
    assert [] == [name for name in commands if f"aoai-conformance {name}" not in text and f"| `{name}" not in text]
