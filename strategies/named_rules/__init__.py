"""Cross-field rules that JSON Schema can't express, one in a file that has the rule's name.

A clause names its rule with dashes (``best-of-at-least-n``), the file with underscores. The files are found by walking
this folder. Every function here takes any JSON value and raises nothing: what doesn't have the documented form can't
break a rule between its fields, and can't be repaired.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import frozen

__all__ = ["NamedRule", "named_rules"]


@frozen
class NamedRule:
    """One rule between fields of a body.

    ``holds`` returns True if a body keeps the rule. ``broken`` returns a body that breaks only this rule, or None if
    the given body has no part in which it can be broken. ``pointer`` names the faulty field of that body. ``fields``
    are the top-level fields that the rule mentions. ``mended`` returns a body that keeps the rule.
    """

    holds: Callable[[Any], bool]
    broken: Callable[[Any], Any]
    pointer: str = ""
    fields: tuple[str, ...] = ()
    mended: Callable[[Any], Any] | None = None


@cache
def named_rules() -> Mapping[str, NamedRule]:
    """The rules by the names that clauses of the Specs give them."""
    found: dict[str, NamedRule] = {}
    for info in pkgutil.iter_modules(__path__):
        rule = getattr(importlib.import_module(f"{__name__}.{info.name}"), "RULE", None)
        if isinstance(rule, NamedRule):
            found[info.name.replace("_", "-")] = rule
    return found
