"""Checks of new vector stores, batches and files in stores: counts, chunking, and files that don't exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.lifecycle import one
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: The documented default of chunks: the most tokens in one, and how many of them the next one repeats.
CHUNKS = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}

_new_store = asked("POST", r"/vector_stores")


def _files_sent(case: Case) -> list[Any] | None:
    """The ``file_ids`` of a valid request, or None if the request isn't valid."""
    body = body_of(case)
    if case.expect is Expect.REJECT or not (body is None or isinstance(body, dict)):
        return None
    ids = (body or {}).get("file_ids") or []
    return ids if isinstance(ids, list) else None


def _empty(spec: Spec, case: Case) -> bool:
    """The request names no files."""
    return _files_sent(case) == []


def _filled(spec: Spec, case: Case) -> bool:
    """The request names files."""
    return bool(_files_sent(case))


def _at_work(value: Any, request: Request) -> Any:
    """Counterexample: a store without files is still in progress."""
    return None if look_up(request.json, "/file_ids") else {**value, "status": "in_progress"}


@check(
    "stores.empty",
    Level.SHOULD,
    clause="vector-store-empty",
    counterexample=on_json(_at_work, when=_new_store),
    operations=("vector_stores.create",),
    about=_empty,
    needs=Needs.SUCCESS,
)
def empty(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A vector store without files is completed and counts none. There is nothing to wait for."""
    status, counts = look_up(seen.json, "/status"), look_up(seen.json, "/file_counts")
    if status != "completed":
        yield seen.finding("a store without files is not ready", place="/status", expected="completed", actual=status)
    if isinstance(counts, dict) and any(counts.values()):
        yield seen.finding("a store without files counts some", place="/file_counts", expected=0, actual=counts)


def _uncounted(value: Any, request: Request) -> Any:
    """Counterexample: the files of the request are not counted."""
    counts = value.get("file_counts")
    if not look_up(request.json, "/file_ids") or not isinstance(counts, dict):
        return None
    return {**value, "file_counts": dict.fromkeys(counts, 0)}


def _counted(seen: Observation, what: str) -> Iterator[Finding]:
    """Yield a finding if an answer counts another number of files than its request names."""
    wanted, total = len(set(map(str, _files_sent(seen.case) or ()))), look_up(seen.json, "/file_counts/total")
    if total is not None and total != wanted:
        yield seen.finding(
            f"{what} counts another number of files than were sent", place="/file_counts/total", expected=wanted,
            actual=total,
        )  # fmt: skip


@check(
    "stores.initial-files",
    Level.SHOULD,
    clause="vector-store-initial-files",
    counterexample=on_json(_uncounted, when=_new_store),
    operations=("vector_stores.create",),
    about=_filled,
    needs=Needs.SUCCESS,
)
def initial_files(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A vector store that is created with files counts as many in total."""
    yield from _counted(seen, "a new store")


@check(
    "stores.batch.total",
    Level.SHOULD,
    clause="file-batch-total",
    counterexample=on_json(_uncounted, when=asked("POST", r"/file_batches")),
    operations=("vector_stores.file_batches.create",),
    about=_filled,
    needs=Needs.SUCCESS,
    entails=("stores.counts",),
)
def batch_total(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A batch counts as many files in total as it was created with."""
    yield from _counted(seen, "a new batch")


def _by_default(spec: Spec, case: Case) -> bool:
    """The request leaves the chunking to the service."""
    body = body_of(case)
    return isinstance(body, dict) and look_up(body, "/chunking_strategy/type") in (None, "auto")


def _small_chunks(value: Any, request: Request) -> Any:
    """Counterexample: the default chunks are half as long."""
    if look_up(request.json, "/chunking_strategy/type") not in (None, "auto"):
        return None
    if look_up(value, "/chunking_strategy/type") != "static":
        return None
    halves = {name: number // 2 for name, number in CHUNKS.items()}
    return {**value, "chunking_strategy": {"type": "static", "static": halves}}


@check(
    "stores.chunking.default",
    Level.SHOULD,
    clause="vector-store-chunking-default",
    counterexample=on_json(_small_chunks, when=asked("POST", r"/vector_stores/\w+/files")),
    operations=("vector_stores.files.create",),
    about=_by_default,
    needs=Needs.SUCCESS,
)
def chunking_default(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without a strategy, and with ``auto``, a file shows chunks of at most 800 tokens that overlap by 400."""
    shown = look_up(seen.json, "/chunking_strategy/static")
    if isinstance(shown, dict) and any(shown.get(name) != number for name, number in CHUNKS.items()):
        yield seen.finding("another default", place="/chunking_strategy/static", expected=CHUNKS, actual=shown)


def _found_after_all(value: Any, _request: Request) -> Any:
    """Counterexample: the file that nobody uploaded was processed."""
    if value.get("object") != "vector_store.file" or value.get("status") != "failed":
        return None
    return {**value, "status": "completed", "last_error": None}


@trace_check(
    "stores.file.unknown",
    Level.SHOULD,
    clause="vector-store-unknown-file",
    counterexample=on_json(_found_after_all, when=asked("GET", r"/vector_stores/\w+/files/[\w-]+")),
    scenarios=("vector_stores.files",),
    needs=("nowhere.get",),
    entails=("jobs.end.stays",),
)
def file_unknown(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file that nobody uploaded can't be attached: that is refused, or the file ends as failed."""
    last = one(trace, "nowhere.get")
    if last is not None and last.json.get("status") == "completed":
        yield last.finding(
            "a file that nobody uploaded was processed", place="/status", expected="failed", actual="completed"
        )
