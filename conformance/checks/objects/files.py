"""Checks of files: name, purpose, size and content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import on_objects
from conformance.checks.objects.lifecycle import one
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import path_of, still_readable
from conformance.scenarios.files import BINARY, READY
from conformance.scenarios.resource_kinds import Upload, kind
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

FILES = ("files.*",)

#: The name of the file in a form (RFC 7578, section 4.2). Those of the scenario need no escaping.
_NAME = re.compile(rb'; filename="([^"\r\n]*)"')


def _uploads() -> dict[str, Upload]:
    """The files that the scenario uploads."""
    found = {"training": kind("training_file").upload, "notes": kind("file").upload}
    return {name: upload for name, upload in found.items() if upload is not None}


def _of_a_file(exchange: Exchange) -> bool:
    """The content of a file is asked for. Those of stores and containers are the matter of other rules."""
    return re.search(r"/(openai|v1)/files/[^/]+/content$", path_of(exchange.request)) is not None


def _flipped(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: one bit of the content differs."""
    response = exchange.response
    if response is None or not exchange.ok or not _of_a_file(exchange) or not response.body:
        return None
    # The length stays, so that only a comparison of all bytes notices it.
    return exchange.answered(response.with_body(bytes([response.body[0] ^ 1]) + response.body[1:]))


@trace_check(
    "files.content",
    Level.MUST,
    clause="files-content",
    counterexample=_flipped,
    scenarios=FILES,
    # The results of a batch are read from the content of a file.
    entails=("files.content.binary", "batches.results"),
)
def content(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The content of a file comes back byte for byte, with its line ends, umlauts and missing last newline.

    It is MUST for fine-tuning files. Files for assistants need not be readable; if they are, their content should be
    right.
    """
    for name, sent in _uploads().items():
        for seen in trace.role(f"{name}.content"):
            got = seen.exchange.response.body if seen.exchange.response else b""
            if seen.exchange.ok and got != sent.data:
                # If one is the beginning of the other, they differ from the end of the shorter one on.
                place = next((i for i, (a, b) in enumerate(zip(got, sent.data, strict=False)) if a != b), len(got))
                yield seen.finding(
                    "other bytes came back", place=f"byte:{place}", expected=f"{len(sent.data)} bytes as sent",
                    actual=f"{len(got)} bytes, different from byte {place} on",
                    level=None if name == "training" else Level.SHOULD,
                )  # fmt: skip


#: What becomes of the file in a target that takes it for text → what happened to it.
_DECODED = (
    (
        BINARY.data.decode("utf-8", "replace").encode(),
        "each byte that isn't UTF-8 came back as U+FFFD (EF BF BD)",
    ),
    (BINARY.data.decode("latin-1").encode(), "the bytes came back as Latin-1 that was encoded as UTF-8"),
)


def _as_text(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: each byte that isn't UTF-8 was replaced by U+FFFD."""
    response = exchange.response
    if response is None or not exchange.ok or not _of_a_file(exchange) or response.body != BINARY.data:
        return None
    return exchange.answered(response.with_body(BINARY.data.decode("utf-8", "replace").encode()))


@trace_check(
    "files.content.binary",
    Level.MUST,
    clause="files-content-binary",
    counterexample=_as_text,
    scenarios=("files.content",),
    operations=FILES,
    provenance="spec",
)
def content_binary(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file that isn't text comes back as it was sent, if its content can be read at all.

    A target that handles files as text replaces what isn't UTF-8, or encodes it again. Pictures and archives are
    destroyed by it, and a file of plain text shows nothing. Other bytes are a note: the target may have unpacked the
    file, or may hand out what it made of it.
    """
    for seen in trace.role("binary.content"):
        got = seen.exchange.response.body if seen.exchange.response else b""
        if not seen.exchange.ok or got == BINARY.data:
            continue
        how = next((how for text, how in _DECODED if got == text), "")
        yield seen.finding(
            f"a file that isn't text was changed: {how or 'other bytes came back'}",
            expected=f"{len(BINARY.data)} bytes as sent",
            actual=f"{len(got)} bytes",
            note=not how,
        )


def _other_name(item: dict[str, Any]) -> Any:
    """Counterexample: the file has another name."""
    return {**item, "filename": "another.txt"} if "filename" in item else None


@trace_check(
    "files.as-sent",
    Level.MUST,
    clause="files-as-sent",
    counterexample=on_objects("file", _other_name),
    scenarios=FILES,
)
def as_sent(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file has the name, purpose and size that it was uploaded with."""
    for name, sent in _uploads().items():
        made = one(trace, f"{name}.upload")
        wanted: dict[str, Any] = {"purpose": sent.purpose, "bytes": len(sent.data)}
        named = _NAME.search(made.exchange.request.body) if made else None
        if named is not None:
            wanted["filename"] = named[1].decode("utf-8", "replace")
        for role in ("upload", "get"):
            seen = one(trace, f"{name}.{role}")
            for field, value in wanted.items() if seen else ():
                # A missing field is reported by the schema, if the version requires it.
                if seen is not None and seen.json.get(field) not in (None, value):
                    yield seen.finding(
                        f"{field} is not what was uploaded", place=f"/{field}", expected=value, actual=seen.json[field]
                    )


def _stuck(item: dict[str, Any]) -> Any:
    """Counterexample: a well-formed file ends with an error."""
    return {**item, "status": "error"} if item.get("status") in ("processed", "uploaded") else None


def all_ready(trace: Trace) -> str:
    """A text that names a file which was not processed when polling ended; "" if all were processed."""
    for name in _uploads():
        seen = one(trace, f"{name}.get")
        status = seen.json.get("status", "") if seen else ""
        if status not in READY:
            return f"the file {name} is not processed; its last state was {status!r}"
    return ""


@trace_check(
    "files.processed",
    Level.SHOULD,
    clause="files-processed",
    counterexample=on_objects("file", _stuck, method="GET"),
    scenarios=FILES,
    needs=(all_ready,),
)
def processed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The processing of a well-formed file ends, and the file is usable."""
    for name in _uploads():
        seen = one(trace, f"{name}.get")
        status = seen.json.get("status") if seen else None
        if seen is not None and status in ("error", "failed", "deleted"):
            yield seen.finding("the file is not usable", place="/status", expected="processed", actual=status)


@trace_check(
    "files.content.deleted",
    Level.MUST,
    clause="state-deleted-gone",
    counterexample=still_readable(r"/content$"),
    scenarios=FILES,
)
def content_deleted(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The content of a deleted file can't be read any more."""
    for seen in trace.role("training.content-after"):
        if seen.exchange.ok:
            yield seen.finding("the content is still there", place="status", expected=404, actual=seen.exchange.status)
