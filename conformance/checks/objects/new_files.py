"""Checks of uploaded files: their first state, and when they expire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.jobs import on_objects
from conformance.checks.objects.lifecycle import one
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _unusable(item: dict[str, Any]) -> Any:
    """Counterexample: a new file is unusable."""
    return {**item, "status": "error"} if "status" in item else None


@trace_check(
    "files.new",
    Level.SHOULD,
    clause="file-upload-status",
    counterexample=on_objects("file", _unusable, method="POST"),
    scenarios=("files.content",),
    needs=("training.upload",),
)
def new(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A well-formed file that was uploaded is neither unusable nor deleted. It may still be processed."""
    for key in ("training", "notes"):
        seen = one(trace, f"{key}.upload")
        status = seen.json.get("status") if seen is not None else None
        if seen is not None and status in ("error", "failed", "deleting", "deleted"):
            yield seen.finding("a new file is not usable", place="/status", expected="uploaded", actual=status)


def _seconds(case: Case) -> int | None:
    """The seconds of ``expires_after``, which a form sends as ``expires_after[seconds]`` or as JSON; or None."""
    form = body_of(case)
    if not isinstance(form, dict) or case.expect is Expect.REJECT:
        return None
    given: Any = form.get("expires_after[seconds]")
    if given is None:
        try:
            given = look_up(json.loads(str(form.get("expires_after"))), "/seconds")
        except ValueError:
            return None
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _asks(spec: Spec, case: Case) -> bool:
    """The request says when the file expires."""
    return _seconds(case) is not None


def _much_later(value: Any, _request: Request) -> Any:
    """Counterexample: a file expires ten days later."""
    return {**value, "expires_at": value["expires_at"] + 864_000} if is_integer(value.get("expires_at")) else None


@check(
    "files.expires",
    Level.SHOULD,
    clause="file-expires-at",
    counterexample=on_json(_much_later, when=asked("POST", r"/files")),
    operations=("files.upload",),
    about=_asks,
    needs=Needs.SUCCESS,
)
def expires(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``expires_at`` is ``created_at`` and the seconds that were asked for. A second more or less is rounding."""
    wanted, end, start = _seconds(seen.case), look_up(seen.json, "/expires_at"), look_up(seen.json, "/created_at")
    if wanted is None or not is_integer(start):
        return
    if not is_integer(end) or abs(end - start - wanted) > 1:
        yield seen.finding("it expires at another time", place="/expires_at", expected=start + wanted, actual=end)
