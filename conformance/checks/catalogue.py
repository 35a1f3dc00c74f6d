"""All checks, found by walking ``conformance/checks/``. A new check is listed nowhere else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from conformance import checks
from conformance.errors import HarnessError, UsageError
from conformance.judging.check import Check

__all__ = ["all_checks", "find_check"]


@cache
def all_checks() -> Mapping[str, Check]:
    """Every check by id, sorted. Raises :class:`HarnessError` if two have the same id or one entails an unknown
    check.
    """
    found: dict[str, Check] = {}
    for info in pkgutil.walk_packages(checks.__path__, checks.__name__ + "."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, Check) and value.module == info.name:
                if value.id in found:
                    raise HarnessError(f"two checks are called {value.id}", where=info.name)
                found[value.id] = value
    for item in found.values():
        for entailed in item.entails:
            if entailed not in found:
                raise HarnessError(f"{item.id} entails {entailed}, which does not exist", where=item.module)
    return dict(sorted(found.items()))


def find_check(check_id: str) -> Check:
    """The check with an id. Raises :class:`UsageError`, with the most similar ids, if there is none."""
    import difflib

    known = all_checks()
    if check_id in known:
        return known[check_id]
    near = difflib.get_close_matches(check_id, known, n=3)
    raise UsageError(
        f"no check is called {check_id!r}", hint=f"nearest: {', '.join(near)}" if near else "see: list checks"
    )
