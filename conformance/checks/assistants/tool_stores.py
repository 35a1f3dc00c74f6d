"""Checks of the vector stores of threads and assistants: made on request, and replaced as a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.lifecycle import one, sent_in
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.scenarios.tool_stores import STORES
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

SCENARIO = ("assistants.stores",)
SEARCH = ("assistants.file_search",)

#: Where a request asks for new vector stores.
_NEW = "/tool_resources/file_search/vector_stores"


def _no_store(value: Any, request: Request) -> Any:
    """Counterexample: the store that was asked for is not made."""
    return {**value, "tool_resources": {}} if look_up(request.json, _NEW) and "tool_resources" in value else None


@trace_check(
    "assistants.stores.made",
    Level.MUST,
    clause="thread-vector-store-helper",
    counterexample=on_json(_no_store, when=asked("POST", r"/(threads|assistants)")),
    scenarios=SCENARIO,
    needs=("thread.create",),
    features=SEARCH,
)
def made(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``vector_stores`` in the request makes a vector store of the files and names it in the answer.

    Without it the search has nothing to search in, and nobody says so.
    """
    for key in ("thread", "assistant", "filed"):
        owner, store = one(trace, f"{key}.create"), trace.role(f"{key}.store")
        if owner is None:
            continue
        ids = look_up(owner.json, STORES)
        if not isinstance(ids, list) or len(ids) != 1:
            yield owner.finding(
                "the vector store that was asked for is not named", place=STORES, expected="one id", actual=ids
            )
        for seen in store:
            if seen.exchange.status == 404:
                yield seen.finding("the new vector store isn't there", place="status", expected=200, actual=404)
            files = look_up(sent_in(owner), f"{_NEW}/0/file_ids") or []
            total = look_up(seen.json, "/file_counts/total") if seen.exchange.ok else None
            if total is not None and total != len(files):
                yield seen.finding(
                    "the new vector store has another number of files", place="/file_counts/total",
                    expected=len(files), actual=total,
                )  # fmt: skip


def _old_stores(value: Any, request: Request) -> Any:
    """Counterexample: the old list of stores stays."""
    if not look_up(request.json, STORES) or not isinstance(look_up(value, STORES), list):
        return None
    value["tool_resources"]["file_search"]["vector_store_ids"] = ["vs_of_before"]
    return value


@trace_check(
    "assistants.resources.replaced",
    Level.SHOULD,
    clause="assistant-override-resources",
    counterexample=on_json(_old_stores, when=asked("POST", r"/assistants/\w+")),
    scenarios=SCENARIO,
    needs=("modify",),
    features=SEARCH,
)
def replaced(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification of ``tool_resources`` replaces the list of vector stores. It is not added to the old one."""
    change = one(trace, "modify")
    if change is None:
        return
    wanted = look_up(sent_in(change), STORES)
    for seen in filter(None, (change, one(trace, "modified"))):
        found = look_up(seen.json, STORES)
        if found != wanted:
            yield seen.finding("the list of stores was not replaced", place=STORES, expected=wanted, actual=found)
