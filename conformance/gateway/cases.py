"""Which requests are sent through a gateway: those of a corpus that stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase

from attrs import frozen

from conformance.corpus.corpus import Corpus
from conformance.requests.case import Auth, Case, Expect, Family, Version
from conformance.requests.wire import placeholders

__all__ = ["Selected", "healthy", "plain_and_streamed", "selected"]

#: The placeholders that need no earlier answer.
_KNOWN = ("run", "deployment")


@frozen
class Selected:
    """The cases to send, and how many are left out for which reason."""

    cases: tuple[Case, ...]
    left_out: dict[str, int]


def selected(corpus: Corpus, operations: Iterable[str], expensive: frozenset[str]) -> Selected:
    """The cases of a corpus whose operation matches one of the patterns (all if there are none)."""
    patterns, kept, left_out = tuple(operations), [], Counter[str]()
    for case in corpus:
        if patterns and not any(fnmatchcase(case.operation, one) for one in patterns):
            continue
        why = _needs_more(case, expensive)
        if why:
            left_out[why] += 1
        else:
            kept.append(case)
    return Selected(tuple(kept), dict(left_out))


def _needs_more(case: Case, expensive: frozenset[str]) -> str:
    """Why a case can't be sent alone; "" if it can."""
    if case.auth is not Auth.VALID:
        return "they probe the key: the gateway's users are its own affair"
    if case.creates or case.undo is not None:
        return "they create an object, and are sent in scenarios"
    if any(name.split(".")[0] not in _KNOWN for name in placeholders(case)):
        return "they need an object, and are sent in scenarios"
    if case.expensive and case.expensive not in expensive:
        return f"expensive kinds are off ({case.expensive})"
    return ""


def healthy(cases: Iterable[Case]) -> tuple[Case, ...]:
    """The valid requests with a JSON body, those of chats first: with them a healthy gateway can be told."""
    valid = [
        case
        for case in cases
        if case.expect is Expect.ACCEPT
        and case.family is Family.TEMPLATE
        and case.api_version is Version.DEFAULT
        and case.cancel_after is None
        and isinstance(case.json, dict)
    ]
    return tuple(sorted(valid, key=lambda case: "/chat/" not in case.path))


def plain_and_streamed(cases: Iterable[Case]) -> tuple[Case | None, Case | None]:
    """A valid request whose answer is JSON, and one whose answer streams; None where there is none."""
    valid = healthy(cases)
    plain = next((case for case in valid if not case.json.get("stream")), None)
    return plain, next((case for case in valid if case.json.get("stream") is True), None)
