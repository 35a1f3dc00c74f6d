"""Checks of files that are attached to assistants and messages, in versions that have them as objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import one, sent_in
from conformance.checks.objects.lists import ids_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, path_of
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

ATTACHED = ("assistants.attached",)


def _file_ids(seen: Observation | None) -> list[str] | None:
    """The ``file_ids`` of an answer, or None if it shows none."""
    found = seen.json.get("file_ids") if seen is not None and isinstance(seen.json, dict) else None
    return [str(one) for one in found] if isinstance(found, list) else None


def _assistant_with(change: Any) -> Any:
    """A counterexample that changes the ``file_ids`` of an assistant that is read and has at least two."""

    def changed(value: Any, _request: Request) -> Any:
        ids = value.get("file_ids")
        if value.get("object") != "assistant" or not isinstance(ids, list) or len(ids) < 2:
            return None
        return {**value, "file_ids": change(ids)}

    return on_json(changed, when=asked("GET", r"/assistants/\w+"))


@trace_check(
    "assistants.files.attached",
    Level.MUST,
    clause="assistant-file-attach",
    counterexample=_assistant_with(lambda ids: ids[1:]),
    scenarios=ATTACHED,
    features=("assistants.files",),
    needs=("attach.older", "attach.newer", "files", "assistant.get"),
)
def attached(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file that was attached is in the list of the assistant's files, and in ``file_ids`` of the assistant.

    Some clients read the one, some the other.
    """
    page, shown = one(trace, "files"), one(trace, "assistant.get")
    if page is None or shown is None:
        return
    for key in ("older", "newer"):
        file = shown.case.bindings.get(key)
        if file not in ids_of(page) and page.json.get("has_more") is not True:
            yield page.finding("an attached file is not listed", place="/data", expected=file, actual=ids_of(page))
        if file not in (_file_ids(shown) or ()):
            yield shown.finding(
                "an attached file is not among the files of the assistant", place="/file_ids", expected=file,
                actual=shown.json.get("file_ids", "absent"),
            )  # fmt: skip


@trace_check(
    "assistants.files.order",
    Level.SHOULD,
    clause="assistant-file-list-order",
    counterexample=_assistant_with(lambda ids: ids[::-1]),
    scenarios=ATTACHED,
    features=("assistants.files",),
    needs=("attach.older", "attach.newer", "assistant.get"),
)
def order(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``file_ids`` of an assistant begins with the file that was created and attached first."""
    shown = one(trace, "assistant.get")
    ids = _file_ids(shown)
    if shown is None or ids is None:
        return
    wanted = [shown.case.bindings.get(key) for key in ("older", "newer")]
    if set(wanted) <= set(ids) and [id_ for id_ in ids if id_ in wanted] != wanted:
        yield shown.finding("the newer file comes first", place="/file_ids", expected=wanted, actual=ids)


def _still_attached(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an assistant still names the file that was detached."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or not exchange.ok or not isinstance(response.json, dict) or exchange.request.method != "GET":
        return None
    if response.json.get("object") != "assistant" or not isinstance(response.json.get("file_ids"), list):
        return None
    gone = [path_of(x.request) for x in earlier if x.request.method == "DELETE" and x.ok]
    files = [each.rsplit("/", 1)[-1] for each in gone if each.startswith(f"{path}/files/")]
    if not files:
        return None
    return exchange.answered(response.with_json({**response.json, "file_ids": [*files, *response.json["file_ids"]]}))


@trace_check(
    "assistants.files.detached",
    Level.SHOULD,
    clause="assistant-file-detach",
    counterexample=_still_attached,
    scenarios=ATTACHED,
    features=("assistants.files",),
    needs=("detach", "files-after", "assistant.after"),
)
def detached(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file that was detached is no longer among the files of the assistant. The file itself stays."""
    page, shown = one(trace, "files-after"), one(trace, "assistant.after")
    if page is None or shown is None:
        return
    file = shown.case.bindings.get("older")
    if file in ids_of(page):
        yield page.finding("the detached file is still listed", place="/data", actual=ids_of(page))
    if file in (_file_ids(shown) or ()):
        yield shown.finding(
            "the detached file is still among the files of the assistant", place="/file_ids", actual=_file_ids(shown)
        )
    for seen in trace.role("file.kept"):
        if seen.exchange.status == 404:
            yield seen.finding("the file itself is gone", place="status", expected=200, actual=404)


def _one_less(value: Any, request: Request) -> Any:
    """Counterexample: a new message lacks one of its files."""
    ids = value.get("file_ids")
    sent = request.json.get("file_ids") if isinstance(request.json, dict) else None
    return {**value, "file_ids": ids[1:]} if sent and isinstance(ids, list) and ids else None


@trace_check(
    "messages.files",
    Level.MUST,
    clause="message-files",
    counterexample=on_json(_one_less, when=asked("POST", r"/messages")),
    scenarios=("lists.threads.messages.files",),
    needs=("message", "list.all"),
    features=("threads.messages.files",),
)
def message_files(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The files of a message are those that it was created with: in its ``file_ids`` and in the list of its files."""
    made, page = one(trace, "message"), one(trace, "list.all")
    if made is None or page is None:
        return
    wanted = {str(file) for file in sent_in(made).get("file_ids") or ()}
    if _file_ids(made) is not None and set(_file_ids(made) or ()) != wanted:
        yield made.finding(
            "file_ids is not what was sent", place="/file_ids", expected=sorted(wanted), actual=made.json["file_ids"]
        )
    if set(ids_of(page)) != wanted and page.json.get("has_more") is not True:
        yield page.finding(
            "the list has other files than the message", place="/data", expected=sorted(wanted), actual=ids_of(page)
        )
