"""Checks of what a batch answers: a row for each request, in the file where it belongs, with the request's own answer.

The rows come in any order and are told apart by ``custom_id``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.batches import BATCHES, COMPLETED, RUN
from conformance.checks.objects.jobs import on_objects
from conformance.checks.objects.lifecycle import one
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Counterexample, trace_check
from conformance.judging.counterexamples import asked
from conformance.pointer import look_up
from conformance.scenarios.batches import LONG, RESULTS, SENT, SHORT
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

Row = dict[str, Any]

_CONTENT = asked("GET", r"/files/[\w-]+/content")


def rows_of(body: bytes) -> list[Any]:
    """The values of a JSON Lines file; None for a line that is no JSON.

    Only a line feed ends a line: the texts of JSON may hold other separators, such as U+2028, as they are (RFC 8259
    section 7).
    """
    found: list[Any] = []
    for line in filter(str.strip, body.decode("utf-8", "replace").split("\n")):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            found.append(None)
    return found


def _on_rows(change: Callable[[list[Row]], list[Row] | None]) -> Counterexample:
    """A counterexample that changes the rows of a file of results."""

    def broken(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        if response is None or not exchange.ok or not _CONTENT(exchange):
            return None
        rows = rows_of(response.body)
        # Other files with lines of JSON have no answers.
        if not rows or not all(isinstance(row, dict) and {"custom_id", "response"} <= row.keys() for row in rows):
            return None
        changed = change(rows)
        if changed is None:
            return None
        body = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in changed)
        return exchange.answered(response.with_body(body.encode()))

    return broken


def _files(trace: Trace) -> Iterator[tuple[str, Observation, list[Any]]]:
    """Yield the files of results that were read: the role, the answer and the rows."""
    for role in RESULTS.values():
        for seen in trace.role(role):
            if seen.case.role == role and seen.exchange.ok and seen.exchange.response is not None:
                yield role, seen, rows_of(seen.exchange.response.body)


def _status(row: Mapping[str, Any]) -> Any:
    return look_up(row, "/response/status_code")


def _one_lost(rows: list[Row]) -> list[Row] | None:
    """Counterexample: the file lacks its last row."""
    return rows[:-1] if len(rows) > 1 else None


@trace_check(
    "batches.results",
    Level.MUST,
    clause="batch-output",
    counterexample=_on_rows(_one_lost),
    scenarios=BATCHES,
    needs=("output",),
    entails=("batches.row.own",),
)
def results(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The files of a batch have a row for each request that was answered, once, with the request's ``custom_id``.

    As many rows are in each file as the batch counts.
    """
    found: Counter[str] = Counter()
    last = next((seen for seen in (one(trace, role) for role in ("batch.get", "cancelled")) if seen), None)
    counts = last.json.get("request_counts") if last is not None else None
    counted = {"output": "completed", "errors": "failed"}
    for role, seen, rows in _files(trace):
        ids = [row.get("custom_id") if isinstance(row, dict) else None for row in rows]
        found.update(str(id) for id in ids)
        for place, id in enumerate(ids, 1):
            if id not in SENT:
                yield seen.finding(
                    "a row belongs to no request",
                    place=f"line {place}",
                    expected=f"one of {', '.join(SENT)}",
                    actual=id,
                )
        number = counts.get(counted[role]) if isinstance(counts, dict) else None
        if is_integer(number) and number != len(rows):
            yield seen.finding(
                f"the batch counts other numbers than its files have rows ({counted[role]})",
                expected=f"{number} rows", actual=f"{len(rows)} rows",
            )  # fmt: skip
        for id in SENT:
            if id in ids and found[id] > 1:
                yield seen.finding(
                    "a request is answered twice", expected="one row", actual=f"{found[id]} rows of {id}"
                )


def _failed_inside(rows: list[Row]) -> list[Row] | None:
    """Counterexample: a row among the answers holds a refusal."""
    if any(not is_integer(_status(row)) or _status(row) >= 300 for row in rows):
        return None
    refused = {"status_code": 400, "body": {"error": {"code": "invalid_value", "message": "No."}}}
    return [{**rows[0], "response": {**rows[0]["response"], **refused}}, *rows[1:]]


@trace_check(
    "batches.row.outcome",
    Level.MUST,
    clause="batch-row-outcome",
    counterexample=_on_rows(_failed_inside),
    scenarios=BATCHES,
    needs=("output",),
    entails=("batches.row.own",),
)
def row_outcome(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A row of the output file holds a success, and one of the error file a failure."""
    for role, seen, rows in _files(trace):
        for place, row in enumerate(rows, 1):
            status = _status(row) if isinstance(row, dict) else None
            if not is_integer(status):
                continue
            good = 200 <= status < 300 and not row.get("error")
            if good is not (role == "output"):
                yield seen.finding(
                    "a row is in the wrong file", place=f"line {place}",
                    expected="a success" if role == "output" else "a failure", actual=f"status_code {status}",
                )  # fmt: skip


def _swapped(rows: list[Row]) -> list[Row] | None:
    """Counterexample: two requests have each other's answer."""
    if {row["custom_id"] for row in rows} != {SHORT, LONG}:
        return None
    ids = [row["custom_id"] for row in rows]
    return [{**row, "custom_id": id} for row, id in zip(rows, reversed(ids), strict=True)]


@trace_check(
    "batches.row.own",
    Level.MUST,
    clause="batch-row-own",
    counterexample=_on_rows(_swapped),
    scenarios=RUN,
    needs=(COMPLETED, "output"),
)
def row_own(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The row of a request holds the answer to this request: a chat completion whose prompt is as long as the one sent.

    One request has a prompt that is many times as long as another's. A service that mixes rows up gives customers the
    answers of others, and nothing else shows it.
    """
    for role, seen, rows in _files(trace):
        prompts: dict[str, int] = {}
        for place, row in enumerate(rows if role == "output" else (), 1):
            if not isinstance(row, dict) or row.get("custom_id") not in (SHORT, LONG):
                continue
            choices = look_up(row, "/response/body/choices")
            if not (isinstance(choices, list) and choices):
                yield seen.finding(
                    "a row among the answers holds no chat completion", place=f"line {place}/response/body",
                    expected="choices", actual=look_up(row, "/response/body"),
                )  # fmt: skip
            tokens = look_up(row, "/response/body/usage/prompt_tokens")
            if is_integer(tokens):
                prompts[row["custom_id"]] = tokens
        if len(prompts) == 2 and prompts[SHORT] >= prompts[LONG]:
            yield seen.finding(
                "two requests have each other's answer", place="usage.prompt_tokens",
                expected=f"more for {LONG!r} than for {SHORT!r}", actual=prompts,
            )  # fmt: skip


def _other_purpose(item: Row) -> Any:
    """Counterexample: a file of results is said to be an input."""
    return {**item, "purpose": "batch"} if item.get("purpose") == "batch_output" else None


@trace_check(
    "batches.results.files",
    Level.SHOULD,
    clause="batch-output-purpose",
    counterexample=on_objects("file", _other_purpose, method="GET"),
    scenarios=BATCHES,
    needs=("output.file", "output"),
)
def results_files(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file of results has the purpose ``batch_output``, and the size of its content."""
    for role, seen, _ in _files(trace):
        file = one(trace, f"{role}.file")
        size = len(seen.exchange.response.body) if seen.exchange.response is not None else 0
        for name, wanted in (("purpose", "batch_output"), ("bytes", size)):
            if file is not None and name in file.json and file.json[name] != wanted:
                yield file.finding(
                    f"{name} is not that of the results", place=f"/{name}", expected=wanted, actual=file.json[name]
                )
