"""Reads YAML and TOML files, with the line of every part, so that errors can name it.

YAML is read with a safe loader. It refuses what JSON can't represent: duplicate keys, aliases that multiply the
document excessively, values such as binary data.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from conformance.errors import SpecError
from conformance.pointer import tokens

__all__ = ["SCALARS", "read_toml", "read_yaml", "toml_lines", "yaml_line", "yaml_text", "yaml_value"]

#: The loader in C is much faster, but not every build of PyYAML has it.
if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


#: How the names of YAML's own tags begin.
_TAG = "tag:yaml.org,2002:"

#: The scalars whose form is another one in YAML 1.1, which PyYAML reads: tag, form, what they begin with (YAML 1.2.2,
#: section 10.3.2).
SCALARS: tuple[tuple[str, re.Pattern[str], list[str]], ...] = (
    (f"{_TAG}bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    (f"{_TAG}int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    (
        f"{_TAG}float",
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)

_REPLACED = (f"{_TAG}timestamp", *(tag for tag, _, _ in SCALARS))


class _Loader(_Base):
    """The safe loader with the scalars of YAML 1.2, as OpenAPI recommends (3.1.0, section 4.3): ``on`` and ``no`` are
    texts, and so is what looks like a date, which is the label of a version here.
    """


def _integer(loader: Any, node: Any) -> int:
    """A whole number: decimal, also with leading zeros, or octal or hexadecimal with a prefix."""
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag not in _REPLACED]
    for first, pairs in _Base.yaml_implicit_resolvers.items()
}
for _scalar in SCALARS:
    _Loader.add_implicit_resolver(*_scalar)
_Loader.add_constructor(f"{_TAG}int", _integer)


#: Documents that grow beyond this number of nodes by aliases are refused: they are an attack or a mistake.
MOST_NODES = 5_000_000

#: Deeper nesting is refused before the document is composed, which the C library does recursively without a limit.
MOST_LEVELS = 200

#: The header of a TOML table, and a TOML key.
_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-\"]+)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*=")


def read_yaml(path: Path) -> Any:
    """The data of a YAML (or JSON) file with string keys only; raises :class:`SpecError` with file and line."""
    try:
        return yaml_text(path.read_bytes(), where=str(path))
    except FileNotFoundError:
        raise SpecError("file is missing", where=str(path)) from None


def yaml_text(content: bytes, *, where: str) -> Any:
    """The data of YAML text; ``where`` names it in errors."""
    value = yaml_value(content, where=where)
    try:
        # The round trip refuses what JSON can't hold, and gives each alias a copy of its own.
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise SpecError(f"a value that JSON can't hold: {error}", where=where) from None
    except ValueError as error:
        raise SpecError(f"not YAML: {error}", where=where) from None
    except RecursionError:
        raise SpecError("nested too deeply", where=where) from None


def yaml_value(content: bytes | str, *, where: str) -> Any:
    """The value of YAML text, which may hold bytes and other values that JSON doesn't have. Aliases of one node give
    the same object. Raises :class:`SpecError` with the line for what is no YAML, or nested, repeated or multiplied
    beyond reason.
    """
    try:
        _shallow(content, where)
        loader = _Loader(content)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _measure(node, where)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SpecError(f"not YAML: {getattr(error, 'problem', None) or error}", where=f"{where}{line}") from None
    except TypeError as error:
        raise SpecError(f"a value that JSON can't hold: {error}", where=where) from None
    except ValueError as error:
        raise SpecError(f"not YAML: {error}", where=where) from None
    except RecursionError:
        raise SpecError("nested too deeply", where=where) from None


def _shallow(content: bytes | str, where: str) -> None:
    """Raise :class:`SpecError` if the document is nested too deeply."""
    level = 0
    for event in yaml.parse(content, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            if level > MOST_LEVELS:
                line = f":{event.start_mark.line + 1}" if event.start_mark else ""
                raise SpecError("nested too deeply", where=f"{where}{line}")
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


def _measure(root: yaml.Node, where: str) -> None:
    """Raise :class:`SpecError` for duplicate keys, aliases into themselves and aliases that multiply the document."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        # Aliases are the same node object, so their size is computed once and still counted at each place.
        known = sizes.get(id(node))
        if known is not None:
            return known
        # A node that is met while its own size is being computed contains itself.
        if id(node) in open_nodes:
            raise SpecError("an alias leads into itself", where=f"{where}:{node.start_mark.line + 1}")
        open_nodes.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _unique(node, where)
            total = 1 + sum(1 + size(value) for _, value in node.value)
        else:
            total = 1 + sum(size(item) for item in node.value)
        if total > MOST_NODES:
            raise SpecError("aliases multiply the document beyond reason", where=where)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    size(root)


def _unique(node: yaml.MappingNode, where: str) -> None:
    """Raise :class:`SpecError` for a key that appears twice."""
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise SpecError("a key must be a plain value", where=f"{where}:{key.start_mark.line + 1}")
        line = key.start_mark.line + 1
        if key.value in seen:
            raise SpecError(f"key {key.value!r} is already on line {seen[key.value]}", where=f"{where}:{line}")
        seen[key.value] = line


@lru_cache(maxsize=2)
def _composed(content: bytes) -> Any:
    return yaml.compose(content, Loader=_Loader)


def yaml_line(path: Path, pointer: str) -> int:
    """The line (from 1) of the place that a JSON Pointer names in a YAML file, or of its closest ancestor."""
    try:
        node = _composed(path.read_bytes())
    # The line only improves a message; a file that can't be read has been reported by then.
    except (OSError, yaml.YAMLError):
        return 1
    line = 1
    for name in tokens(pointer):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == name), None)
        elif isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
            found = (node.value[int(name)], node.value[int(name)])
        else:
            found = None
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def read_toml(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """The data of a TOML file; empty if it is optional and absent. Raises :class:`SpecError` with file and line."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if optional:
            return {}
        raise SpecError("file is missing", where=str(path)) from None
    except RecursionError:
        raise SpecError("nested too deeply", where=str(path)) from None
    except ValueError as error:  # what is no TOML or no UTF-8, and a whole number that is too long for Python
        found = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = f":{found[1]}" if found else ""
        message = str(error).replace(found[0], "") if found else str(error)
        raise SpecError(f"not TOML: {message}", where=f"{path}{line}") from None


def toml_lines(text: str) -> Mapping[tuple[str, int, str], int]:
    """The lines of a TOML text by (table, index in its array, key). The key "" stands for the table's header.

    A sub-table such as ``[clause.rule]`` has the index of its clause.
    """
    lines: dict[tuple[str, int, str], int] = {}
    counts: dict[str, int] = {}
    table, index = "", 0
    for number, line in _outside_strings(text):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = header[2]
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
            # ``[clause.rule]`` has no counter of its own: it belongs to the latest ``[[clause]]``.
            index = counts.get(table, counts.get(table.split(".")[0], 0))
            lines.setdefault((table, index, ""), number)
        elif key:
            lines.setdefault((table, index, key[1]), number)
    return lines


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the lines that don't begin inside a multi-line string."""
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        rest = line
        if closing:
            if closing not in line:
                continue
            rest, closing = line.split(closing, 1)[1], ""
        else:
            yield number, line
        for quote in ("'''", '"""'):
            # An odd number of quotes leaves a string open at the end of the line.
            if rest.count(quote) % 2:
                closing = quote
