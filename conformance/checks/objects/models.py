"""Checks of models: the list and single models agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.lifecycle import one
from conformance.checks.objects.lists import ids_of
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

MODELS = ("models.*",)


def _twice(value: Any, request: Request) -> Any:
    """Counterexample: a model is listed twice."""
    data = value.get("data")
    if not request.url.split("?", maxsplit=1)[0].endswith("/models") or not data:
        return None
    return {**value, "data": [*data, data[0]]}


@trace_check(
    "models.list",
    Level.MUST,
    clause="models-list",
    counterexample=on_json(_twice),
    scenarios=MODELS,
)
def listed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The list contains each model once."""
    page = one(trace, "list")
    if page is None:
        return
    ids = ids_of(page)
    again = sorted({name for name in ids if ids.count(name) > 1})
    if again:
        yield page.finding("a model is listed twice", place="/data", actual=again)


def _another(value: Any, request: Request) -> Any:
    """Counterexample: a model is answered under another id."""
    if "/models/" not in request.url or value.get("object") != "model":
        return None
    return {**value, "id": "another-model"}


@trace_check(
    "models.get",
    Level.MUST,
    clause="models-get",
    counterexample=on_json(_another),
    scenarios=MODELS,
    entails=("lifecycle.list.holds",),
)
def get(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Reading a listed model gives the model with that id. An unknown id is not answered with a model."""
    seen = one(trace, "get")
    wanted = seen.case.bindings.get("model") if seen else None
    if seen is not None and seen.json.get("id") != wanted:
        yield seen.finding("another model", place="/id", expected=wanted, actual=seen.json.get("id"))
    for unknown in trace.role("get-unknown"):
        if unknown.exchange.ok:
            yield unknown.finding("an unknown model is answered", place="status", expected=404,
                                  actual=unknown.exchange.status)  # fmt: skip


def _emptied(value: Any, request: Request) -> Any:
    """Counterexample: the list of models is empty."""
    if not request.url.split("?", maxsplit=1)[0].endswith("/models") or not value.get("data"):
        return None
    return {**value, "data": []}


@trace_check(
    "models.some",
    Level.SHOULD,
    clause="models-some",
    counterexample=on_json(_emptied),
    scenarios=MODELS,
    entails=("lifecycle.list.holds",),
)
def some(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """At least one model is listed. An account without any model can answer nothing."""
    page = one(trace, "list")
    if page is not None and not ids_of(page):
        yield page.finding("no model is listed", place="/data")
