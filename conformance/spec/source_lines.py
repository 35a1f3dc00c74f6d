"""Where an operation stands in the files of its api-version, for readers that show a file and a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import SpecError
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.textfile import read_toml

__all__ = ["operation_lines"]

#: The files of a version that may hold an operation.
_FILES = ("overlay.yaml", "openapi.yaml")


def operation_lines(spec: Spec) -> Mapping[str, tuple[str, int]]:
    """operationId → (file, line from 1). The file is named ``specs/<version>/openapi.yaml``; of a version that extends
    another one it may be that of the other. Operations that no file of the suite's own folder has are absent.
    """
    files = [*_files(spec.version)]
    found: dict[str, tuple[str, int]] = {}
    for operation in operations_of(spec).values():
        for file in files:
            line = _lines(file).get((operation.path, operation.method.lower()))
            if line is not None:
                found[operation.id] = (f"specs/{file.parent.name}/{file.name}", line)
                break
    return found


def _files(version: str) -> Iterator[Path]:
    """Yield the files of a version and of those that it extends, the nearest first."""
    while version:
        home = specs_dir() / version
        yield from (home / name for name in _FILES if (home / name).is_file())
        try:
            version = str(read_toml(home / "version.toml").get("extends", ""))
        except (OSError, SpecError):
            return


@cache
def _lines(file: Path) -> Mapping[tuple[str, str], int]:
    """The line of each (path, method) of a YAML file."""
    # Composed and not loaded: only nodes know their lines.
    root = yaml.compose(file.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return dict(_methods(root))


def _methods(node: Any) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield ((path, method), line) for every key that is a path of the API, wherever it stands."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _methods(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(value, yaml.MappingNode) and str(key.value).startswith("/"):
                yield from (((key.value, one.value), one.start_mark.line + 1) for one, _ in value.value)
            else:
                yield from _methods(value)
