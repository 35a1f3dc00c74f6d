"""Plain values as TOML text: strings, numbers, booleans, lists, tables, arrays of tables with one level below."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["toml_text"]


def toml_text(data: Mapping[str, Any]) -> str:
    """TOML 1.0 of a mapping; what is None is left out."""
    lines = [f"{key} = {_value(value)}" for key, value in data.items() if not _is_table(value) and value is not None]
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_pairs(value)]
        elif _is_table(value):
            for item in value:
                lines += ["", f"[[{key}]]", *_pairs({k: v for k, v in item.items() if not isinstance(v, Mapping)})]
                for name, inner in item.items():
                    if isinstance(inner, Mapping):
                        lines += [f"[{key}.{name}]", *_pairs(inner)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _pairs(item: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in item.items() if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    # JSON's strings, numbers and booleans are TOML's, but for one character that TOML wants escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
