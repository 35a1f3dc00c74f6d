"""Names of the requests of one operation that survive a small change of a document. Pure.

The id of a case is a hash of all that is sent, so it changes with every example of a document. A name says what a case
is for: its role and the place that it is about. Cases that have this in common are numbered in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from conformance.requests.case import Case

__all__ = ["named_cases"]

#: How the roles of cases begin that show a fact of the document, which their reason names.
_OF_FACTS = "fact."

#: What a reason says of other facts that the same request shows: their number changes with every new field.
_MORE = re.compile(r" and \d+ more$")


def named_cases(cases: Iterable[Case]) -> Mapping[str, Case]:
    """The cases of one operation by name, such as ``break.maximum body/n`` or ``fact.field the field /top_p``."""
    found: dict[str, Case] = {}
    counts: dict[str, int] = {}
    for case in cases:
        base = _base(case)
        counts[base] = counts.get(base, 0) + 1
        found[base if counts[base] == 1 else f"{base} #{counts[base]}"] = case
    return found


def _base(case: Case) -> str:
    """What a case is for, without a number."""
    role = case.role or case.family.value
    if case.breaks is not None and case.breaks.pointer:
        return f"{role} {case.breaks.location}{case.breaks.pointer}"
    # Other roles say all. A rule is named before the colon; what follows is its source.
    about = _MORE.sub("", case.reason.partition(": ")[0]) if role.startswith(_OF_FACTS) else ""
    return f"{role} {about}" if about else role
