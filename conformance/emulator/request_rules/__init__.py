"""Cross-field rules of requests that JSON Schema can't express; those that it can are data of a clause.

Each rule is a file of this folder that has its name, and is found by walking. Its ``fault`` takes any body and returns
None if it keeps the rule, else the dotted path of the fault.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.pointer import matches

__all__ = ["NAMED", "Named", "places"]

Named = Callable[[Any], str | None]


def _walked() -> Mapping[str, Named]:
    found = {}
    for info in pkgutil.iter_modules(__path__):
        rule = getattr(importlib.import_module(f"{__name__}.{info.name}"), "fault", None)
        if rule is not None:
            found[info.name.replace("_", "-")] = rule
    return found


#: Every named rule by its name in the clauses.
NAMED: Mapping[str, Named] = _walked()


def places(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """All places that a pointer with ``*`` reaches, each as (dotted path, value). None if the pointer leads nowhere."""
    for path, held in matches(value, pointer):
        dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        yield dotted.removeprefix("."), held
