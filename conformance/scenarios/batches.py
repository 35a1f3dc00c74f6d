"""Batch scenarios: requests in a file, their answers in another one, batches that are cancelled, and bad files.

A batch costs what its requests cost, so the files are small.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.files import READY
from conformance.scenarios.resource_kinds import Upload, kind, request_rows
from conformance.scenarios.scenario import Script, Settings, Step, scenario
from conformance.scenarios.steps import IMPOSSIBLE, answer_of, call, create, created_id, poll_status
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["ENDS", "LONG", "REFUSED", "RESULTS", "SENT", "SHORT"]

#: States of a batch that has ended.
ENDS = ("completed", "failed", "expired", "cancelled")

#: The rows of the batch whose answers are read. They are told apart by what no model decides: one has a prompt that is
#: many times as long as that of another, and one asks for a temperature that no document allows.
SHORT, LONG, REFUSED = "short", "long", "refused"


def _asking(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


_ROWS = {
    SHORT: _asking("Say hello."),
    LONG: _asking("Say hello. " + "These words only make the prompt longer. " * 30),
    REFUSED: _asking("Say hello.", temperature=9),
}
SENT = tuple(_ROWS)

#: The field of a batch that names a file of results → the role of the step that reads the file's content.
RESULTS = {"output_file_id": "output", "error_file_id": "errors"}

#: Tokens of the three rows and their answers at most.
_TOKENS = 600

#: Files that hold no batch → what is wrong with them.
BROKEN: Mapping[str, bytes] = {
    # The second line ends in the middle of an object.
    "no-json": request_rows(first=_ROWS[SHORT]) + request_rows(second=_ROWS[SHORT])[:40] + b"\n",
    "twice": request_rows(same=_ROWS[SHORT]) * 2,
}

_USES = ("files.upload", "files.get")


def _uploaded(
    spec: Spec, name: str, settings: Settings, files: Mapping[str, Upload]
) -> Generator[Step, tuple[Exchange, ...], dict[str, str]]:
    """Upload files and wait until they are processed. Return the ids of those that were taken."""
    item, known = kind("batch_file"), dict[str, str]()
    # A target may look into a file at once and refuse a broken one.
    expects = {key: Expect.EITHER if key in BROKEN else Expect.ACCEPT for key in files}
    cases = [
        create(spec, evolve(item, upload=upload), key, role=f"{key}.upload", expect=expects[key])
        for key, upload in files.items()
    ]
    answers = yield tuple(case.at(name, case.role) for case in cases)
    for key, seen in zip(files, answers, strict=True):
        made = created_id(seen)
        if made is not None:
            known[key] = made
            look = call(spec, "files.get", f"{{{key}}}", role=f"{key}.file", known={key: made}).at(name, f"{key}.file")
            yield from poll_status(look, f"{key}.file", READY, settings)
    return known


def _file(data: bytes) -> Upload:
    return Upload("conformance-batch-{run}.jsonl", "batch", data, "application/jsonl")


def _started(spec: Spec, name: str, settings: Settings) -> Generator[Step, tuple[Exchange, ...], dict[str, str] | None]:
    """Upload the three requests and make a batch of them. Return the ids by placeholder, or None without a batch."""
    item = evolve(kind("batch"), tokens=_TOKENS)
    known = yield from _uploaded(spec, name, settings, {"rows": _file(request_rows(**_ROWS))})
    if "rows" not in known:
        return None
    case = create(spec, item, "batch", (), {item.needs: known["rows"]}, role="batch.create")
    (seen,) = yield (case.at(name, "batch.create"),)
    made = created_id(seen)
    return None if made is None else {**known, "batch": made}


def _on(spec: Spec, name: str, verb: str, known: Mapping[str, str], role: str, **more: Any) -> Case:
    """A case on the batch of a scenario."""
    return call(spec, f"batches.{verb}", "{batch}", role=role, known=known, **more).at(name, role)


@scenario(
    "batches.results",
    operations=("batches.create", "batches.get", "files.content"),
    uses=_USES,
    requests=40,
    tokens=_TOKENS,
    expensive="batch",
)
def results(spec: Spec, settings: Settings) -> Script:
    """A batch of three requests, one of which is wrong, is polled to its end; the files with the answers are read."""
    name = "batches.results"
    known = yield from _started(spec, name, settings)
    if known is None:
        return
    look = _on(spec, name, "get", known, "batch.get")
    ended = yield from poll_status(look, "batch.get", ENDS, settings)
    yield from _read(spec, name, answer_of(ended))
    if "batches.cancel" in operations_of(spec) and answer_of(ended).get("status") in ENDS:
        # Whether the cancellation of what has ended is refused isn't documented. It may not change the batch.
        yield (_on(spec, name, "cancel", known, "batch.cancel-ended", expect=Expect.EITHER),)
        yield (_on(spec, name, "get", known, "batch.again"),)


def _read(spec: Spec, name: str, batch: Mapping[str, Any]) -> Script:
    """Read the files that a batch names, and what they hold."""
    for field, role in RESULTS.items():
        id = batch.get(field)
        # A file without answers may be left out; its field is then absent, null or empty.
        if not isinstance(id, str) or not id:
            continue
        known = {role: id}
        yield (
            call(spec, "files.get", f"{{{role}}}", role=f"{role}.file", known=known).at(name, f"{role}.file"),
            call(spec, "files.content", f"{{{role}}}", role=role, known=known).at(name, role),
        )


@scenario(
    "batches.cancelled",
    operations=("batches.create", "batches.get", "batches.cancel", "files.content"),
    uses=_USES,
    requests=40,
    tokens=_TOKENS,
    expensive="batch",
)
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A batch is cancelled after the first look at it. The answers that it already has can be read."""
    name = "batches.cancelled"
    known = yield from _started(spec, name, settings)
    if known is None:
        return
    yield (_on(spec, name, "get", known, "batch.first"),)
    # A fast target may have ended the batch before.
    (asked,) = yield (_on(spec, name, "cancel", known, "cancel", expect=Expect.EITHER),)
    if not asked.ok:
        return
    look = _on(spec, name, "get", known, "cancelled")
    ended = yield from poll_status(look, "cancelled", ENDS, settings)
    if answer_of(ended).get("status") in ENDS:
        yield (look.at(name, "cancelled.again"),)
        yield from _read(spec, name, answer_of(ended))


@scenario("batches.bad-files", operations=("batches.create", "batches.get"), uses=_USES, requests=60, expensive="batch")
def bad_files(spec: Spec, settings: Settings) -> Script:
    """Batches over a file for assistants, a file that nobody uploaded, a file whose second line is no JSON, and a file
    that names two requests alike. Each may be refused at once, or end without success.
    """
    name, item = "batches.bad-files", kind("batch")
    notes = kind("file").upload
    files = {key: _file(data) for key, data in BROKEN.items()}
    known = yield from _uploaded(spec, name, settings, files | ({"purpose": notes} if notes is not None else {}))
    for key, file in {**known, "unknown": f"file-{IMPOSSIBLE}"}.items():
        case = create(
            spec, item, f"batch.{key}", (), {item.needs: file}, role=f"{key}.create", expect=Expect.EITHER
        ).at(name, f"{key}.create")
        (seen,) = yield (case,)
        made = created_id(seen)
        if made is not None:
            look = call(spec, "batches.get", f"{{batch.{key}}}", role=f"{key}.get", known={f"batch.{key}": made})
            yield from poll_status(look.at(name, f"{key}.get"), f"{key}.get", ENDS, settings)
