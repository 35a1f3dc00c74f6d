"""The page and the summary of a report on a gateway: both sides of each difference, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.exchange import Response
from conformance.evidence.timeline import visible
from conformance.passage.judge import Judged, Row
from conformance.passage.passage import Difference, Passage
from conformance.passage.rule import all_rules, record_rules
from conformance.requests.headers import Headers

from .templating import environment

__all__ = ["before_after", "markdown", "render"]

#: Characters of each body on the page. ``passages.jsonl`` has all of it.
LONGEST = 4_000

#: Characters of each side of a difference in a table. The page shows the messages themselves below.
SIDE = 70


def before_after(difference: Difference) -> str:
    """One difference in words: ``"a" -> "b"``."""
    pair = f"{_short(difference.before) or '(absent)'} -> {_short(difference.after) or '(absent)'}"
    return f"{pair}; {_short(difference.told)}" if difference.told else pair


def _short(text: str) -> str:
    """A text of at most so many characters that both sides fit into a line."""
    return text if len(text) <= SIDE else text[: SIDE - 1] + "…"


def markdown(
    head: Mapping[str, Any], result: Judged, faults: Sequence[Mapping[str, Any]], notes: Sequence[str]
) -> Iterator[str]:
    """The summary in lines."""
    yield f"# {head['api_version']} through {head['gateway']}: {result.text}"
    yield ""
    yield "| level | nature | direction | kind | field | requests | before -> after | rule | why |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in result.rows:
        shown = _cell(before_after(row.example))
        judgement = row.judgement
        why = f"{judgement.why} ({judgement.source})"
        yield (
            f"| {row.level} | {judgement.nature} | {row.side} | {row.kind} | `{_cell(row.field)}` | {row.requests} "
            f"| {shown} | `{row.rule}` | {_cell(why)} |"
        )
    for line in result.unseen:
        yield f"\nWarning: {line}"
    if faults:
        yield "\n| fault of the upstream | what the client saw | requests at the upstream | seconds |"
        yield "|---|---|---|---|"
        for fault in faults:
            yield f"| {fault['fault']} | {_cell(fault['saw'])} | {fault['calls']} | {fault['seconds']} |"
    for note in notes:
        yield f"\n{note}"


def _cell(text: str) -> str:
    """A text that can't end a cell."""
    return visible(text).replace("|", "\\|").replace("\n", " ").replace("`", "'")


def render(
    head: Mapping[str, Any],
    passages: Sequence[Passage],
    result: Judged,
    faults: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
) -> str:
    """The page. It holds no script, and the policy allows none."""
    by_case = {passage.case.id: passage for passage in reversed(passages)}
    template = environment().get_template("passages.html.j2")
    return visible(
        template.render(
            header=head,
            result=result,
            faults=faults,
            notes=notes,
            cards=[_card(number, row, by_case.get(row.example.case)) for number, row in enumerate(result.rows)],
            unjudged=_unjudged(result),
            passages=len(passages),
        )
    )


def _unjudged(result: Judged) -> list[tuple[str, int, str]]:
    """(rule, passages judged, why the others weren't) for every rule."""
    rows = []
    for name in (*all_rules(), *record_rules()):
        why = "; ".join(f"{count} x {reason}" for reason, count in result.unjudged.get(name, {}).items())
        rows.append((name, result.judged.get(name, 0), why))
    return rows


def _card(number: int, row: Row, passage: Passage | None) -> dict[str, Any]:
    """One row with its rule and the messages at both taps."""
    rule = all_rules().get(row.rule) or record_rules().get(row.rule)
    taps = []
    if passage is not None:
        call, sent = passage.call, passage.through.request
        taps = [
            ("the client sent", f"{sent.method} {sent.url}", sent.headers, _text(sent.body)),
            ("the upstream received", *_request(passage)),
            ("the upstream answered", *_answer(call.answer if call is not None else None)),
            ("the client got", *_answer(passage.got)),
        ]
    return {"number": number, "row": row, "rule": rule, "shown": before_after(row.example), "taps": taps}


def _request(passage: Passage) -> tuple[str, Headers, str]:
    call = passage.call
    if call is None:
        return "nothing", (), ""
    return f"{call.request.method} {call.request.url}", call.request.headers, _text(call.request.body)


def _answer(response: Response | None) -> tuple[str, Headers, str]:
    if response is None:
        return "nothing", (), ""
    end = "" if response.complete else " (broken off)"
    return f"{response.status}{end}", response.headers, _text(response.content)


def _text(body: bytes) -> str:
    """A body as text, shortened."""
    text = body.decode("utf-8", "replace")
    more = f"\n… {len(body)} bytes in all; passages.jsonl has them" if len(text) > LONGEST else ""
    return text[:LONGEST] + more
