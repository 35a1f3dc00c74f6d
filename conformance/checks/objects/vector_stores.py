"""Checks of vector stores: counts, expiry, and files that exist independently of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import at_rest, on_objects, reached
from conformance.checks.objects.lifecycle import one
from conformance.checks.objects.lists import ids_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import path_of
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

STORES = ("vector_stores.files",)
#: A question: has the store processed its files?
READY = reached("store.get", "completed")
#: Seconds.
DAY = 86_400


def _total(value: Any) -> Any:
    """The number of files that a store counts."""
    counts = value.get("file_counts") if isinstance(value, dict) else None
    return counts.get("total") if isinstance(counts, dict) else None


def _none_counted(item: dict[str, Any]) -> Any:
    """Counterexample: a store counts no files."""
    counts = item.get("file_counts")
    return {**item, "file_counts": dict.fromkeys(counts, 0)} if isinstance(counts, dict) else None


@trace_check(
    "stores.total",
    Level.MUST,
    clause="stores-total",
    counterexample=on_objects("vector_store", lambda item: _none_counted(item) if "name" in item else None),
    scenarios=STORES,
    needs=(READY, "files"),
    entails=("stores.detached", "assistants.stores.made"),
)
def total(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A vector store that is ready counts as many files as its list contains."""
    store, files = one(trace, "store.get"), one(trace, "files")
    if store is None or files is None:
        return
    if files.json.get("has_more") is not True and _total(store.json) != len(ids_of(files)):
        yield store.finding(
            "the store counts another number of files", place="/file_counts/total", expected=len(ids_of(files)),
            actual=_total(store.json),
        )  # fmt: skip


def _still_counted(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a detached file is still counted."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or _total(response.json) is None:
        return None
    path = path_of(exchange.request)
    # Before a file was detached, the old count is the right one.
    if not any(x.request.method == "DELETE" and x.ok and path_of(x.request).startswith(path + "/") for x in earlier):
        return None
    before = [x for x in earlier if path_of(x.request) == path and x.ok and x.response and _total(x.response.json)]
    return exchange.answered(before[0].response) if before and before[0].response else None


@trace_check(
    "stores.detached",
    Level.MUST,
    clause="stores-detached",
    counterexample=_still_counted,
    scenarios=STORES,
    needs=(READY, "store.after"),
)
def detached(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A detached file is no longer counted."""
    before, after = one(trace, "store.get"), trace.role("store.after")
    good = [seen for seen in after if seen.exchange.ok]
    if before is None or not good:
        return
    wanted, found = _total(before.json), _total(good[-1].json)
    # The scenario detaches exactly one file.
    if is_integer(wanted) and is_integer(found) and found != wanted - 1:
        yield good[-1].finding(
            "the detached file is still counted", place="/file_counts/total", expected=wanted - 1, actual=found
        )
    elif len(good) > 1:
        yield good[0].finding("the file was still counted for a while", outcome=Outcome.WARN)


def _file_gone(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the detached file doesn't exist any more."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or not exchange.ok or exchange.request.method != "GET" or "/vector_stores/" in path:
        return None
    name = path.rsplit("/", 1)[-1]
    gone = [x for x in earlier if x.request.method == "DELETE" and path_of(x.request).endswith("/files/" + name)]
    if not any("/vector_stores/" in path_of(x.request) for x in gone):
        return None
    error = {"error": {"code": "404", "message": "No such file."}}
    from attrs import evolve

    return exchange.answered(evolve(response, status=404).with_json(error))


@trace_check(
    "stores.files-stay",
    Level.MUST,
    clause="stores-files-stay",
    counterexample=_file_gone,
    scenarios=STORES,
    needs=(at_rest,),
    entails=("http.accepted",),
)
def files_stay(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Detaching a file, or deleting the store, does not delete the file. Other stores may use it."""
    for seen in trace.role("file.kept"):
        if seen.exchange.status == 404:
            yield seen.finding("the file itself is gone", place="status", expected=200, actual=404)


def _wrong_expiry(item: dict[str, Any]) -> Any:
    """Counterexample: a store expires two days too early."""
    stamp = item.get("expires_at")
    return {**item, "expires_at": stamp - 2 * DAY} if is_integer(stamp) and item.get("expires_after") else None


@trace_check(
    "stores.expiry",
    Level.SHOULD,
    clause="stores-expiry",
    counterexample=on_objects("vector_store", _wrong_expiry),
    scenarios=("vector_stores.expiry",),
    needs=("store.get",),
)
def expiry(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``expires_at`` is the time of the last activity plus the days of the policy, give or take half a day."""
    seen = one(trace, "store.get")
    if seen is None:
        return
    value = seen.json
    policy, end, start = value.get("expires_after"), value.get("expires_at"), value.get("last_active_at")
    days = policy.get("days") if isinstance(policy, dict) else None
    if not (is_integer(days) and is_integer(start) and is_integer(end)):
        return
    # Half a day: a service may round to whole days, but not lose one.
    if abs(end - start - days * DAY) > DAY // 2:
        yield seen.finding("it expires at another time", place="/expires_at", expected=start + days * DAY, actual=end)


def _negative(item: dict[str, Any]) -> Any:
    """Counterexample: a size is negative."""
    names = [name for name in ("usage_bytes", "bytes") if is_integer(item.get(name))]
    return {**item, **dict.fromkeys(names, -1)} if names else None


@trace_check(
    "stores.bytes",
    Level.MUST,
    clause="stores-bytes",
    counterexample=on_objects("vector_store", _negative),
    scenarios=("vector_stores.*",),
)
def store_bytes(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Sizes are not negative."""
    for seen in trace:
        value = seen.json if seen.exchange.ok and isinstance(seen.json, dict) else {}
        for name in ("usage_bytes", "bytes"):
            size = value.get(name)
            if is_integer(size) and size < 0:
                yield seen.finding("a negative size", place=f"/{name}", expected="0 or more", actual=size)


def _all_of_store(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a batch lists a file that isn't its own."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or not exchange.ok or "/file_batches/" not in path or not path.endswith("/files"):
        return None
    value: Any = response.json
    data = value.get("data") if isinstance(value, dict) else None
    # Only the first page: on a walk the extra file would break the rules on cursors.
    if not data or exchange.request.url.count("after=") or exchange.request.url.count("before="):
        return None
    stranger = {**data[-1], "id": "file-of-the-store"}
    ends = {"last_id": stranger["id"]} if "last_id" in value else {}
    return exchange.answered(response.with_json({**value, "data": [*data, stranger], **ends}))


@trace_check(
    "stores.batch.files",
    Level.MUST,
    clause="stores-batch-files",
    counterexample=_all_of_store,
    scenarios=("vector_stores.batches",),
    needs=(at_rest, "batch.create", "batch.files"),
    entails=("lists.walk.complete", "lists.limit", "http.accepted"),
)
def batch_files(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The list of a batch contains the files of the batch, not those of the whole store."""
    made, page = one(trace, "batch.create"), one(trace, "batch.files")
    if made is None or page is None:
        return
    sent = made.exchange.request.json
    wanted = set(sent.get("file_ids", ())) if isinstance(sent, dict) else set()
    strange = [id for id in ids_of(page) if id not in wanted]
    if strange:
        yield page.finding("files that don't belong to the batch", place="/data", actual=strange)
    missing = wanted - set(ids_of(page))
    if missing and page.json.get("has_more") is not True:
        yield page.finding("files of the batch are missing", place="/data", actual=sorted(missing))


def _not_cancelled(item: dict[str, Any]) -> Any:
    """Counterexample: the files of a cancelled batch are processed."""
    if item.get("status") != "cancelled":
        return None
    counts = item.get("file_counts")
    done = dict(counts) | {"completed": counts.get("total"), "cancelled": 0} if isinstance(counts, dict) else counts
    return {**item, "status": "completed", "file_counts": done}


@trace_check(
    "stores.batch.cancel",
    Level.SHOULD,
    clause="stores-batch-cancel",
    counterexample=on_objects("vector_store.file", _not_cancelled),
    scenarios=("vector_stores.batches",),
    needs=(at_rest, "cancel", "cancelled"),
    entails=("stores.counts",),
)
def batch_cancel(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A batch whose cancellation was confirmed does not process all of its files."""
    asked, last = one(trace, "cancel"), one(trace, "cancelled")
    if asked is not None and last is not None and last.json.get("status") == "completed":
        yield last.finding(
            "the cancelled batch was processed", place="/status", expected="cancelled", actual="completed"
        )
