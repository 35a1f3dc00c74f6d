"""Checks of transcriptions and translations as verbose JSON: the fields besides the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case, Multipart
from conformance.requests.request import Request
from conformance.requests.selectors import streams, value_at
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

AUDIO = ("audio.transcriptions.create", "audio.translations.create")
_posted = asked("POST", r"/audio/(transcriptions|translations)")
#: Fields of verbose JSON besides the text.
EXPECTED_FIELDS = ("task", "language", "duration", "segments")


def _verbose(spec: Spec, case: Case) -> bool:
    """The request asks for verbose JSON."""
    return value_at(case, "/response_format") == "verbose_json" and not streams(spec, case)


def _is_verbose(value: Any) -> bool:
    """Return True for a verbose answer."""
    return isinstance(value, dict) and "segments" in value and "task" in value


def _other_form(value: Any, _request: Request) -> Any:
    """Counterexample: only the text, as in the format ``json``."""
    return {"text": value["text"]} if _is_verbose(value) and isinstance(value.get("text"), str) else None


@check(
    "audio.verbose.form",
    Level.MUST,
    clause="audio-verbose-form",
    counterexample=on_json(_other_form, when=_posted),
    operations=AUDIO,
    about=_verbose,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def verbose_form(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``verbose_json`` the answer doesn't have the form of another format.

    ``{"text": …}`` is the answer to ``json``. The schema allows both forms, and only the request says which one is due:
    without times nobody can make subtitles.
    """
    if _of_another_form(seen.json):
        yield seen.finding(
            "verbose_json was asked for, and the answer has the form of another format",
            expected=" or ".join((*EXPECTED_FIELDS, "words")),
            actual=sorted(seen.json),
        )


def _of_another_form(value: Any) -> bool:
    """Return True for a text with nothing that only verbose JSON has."""
    return (
        isinstance(value, dict) and "text" in value and not any(name in value for name in (*EXPECTED_FIELDS, "words"))
    )


def _silent(value: Any, _request: Request) -> Any:
    """Counterexample: language and duration are missing."""
    return {k: v for k, v in value.items() if k not in ("language", "duration")} if _is_verbose(value) else None


@check(
    "audio.verbose",
    Level.SHOULD,
    clause="audio-verbose",
    counterexample=on_json(_silent, when=_posted),
    operations=AUDIO,
    about=_verbose,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def verbose(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``verbose_json`` the answer has task, language, duration and segments besides the text."""
    lacking = [name for name in EXPECTED_FIELDS if not isinstance(seen.json, dict) or seen.json.get(name) is None]
    # Word timestamps take the place of segments where only they were asked for.
    if "segments" in lacking and _granularities(seen.case) == {"word"}:
        lacking.remove("segments")
    # An answer in the form of another format is told by a check of its own.
    if lacking and not _of_another_form(seen.json):
        yield seen.finding("the answer lacks " + ", ".join(lacking), place="", expected=EXPECTED_FIELDS, actual=lacking)


def _granularities(case: Case) -> set[str]:
    """The values of ``timestamp_granularities[]``."""
    body = case.body
    parts = body.parts if isinstance(body, Multipart) else ()
    return {part.data.decode("utf-8", "replace") for part in parts if part.name.startswith("timestamp_granularities")}


#: The documented name of the task of each operation.
_TASKS = {"audio.transcriptions.create": "transcribe", "audio.translations.create": "translate"}


def _other_task(value: Any, _request: Request) -> Any:
    """Counterexample: the answer names the other task."""
    # Both are documented values, so the schema still accepts the answer.
    other = {"transcribe": "translate", "translate": "transcribe"}
    return {**value, "task": other.get(value["task"])} if _is_verbose(value) else None


@check(
    "audio.task",
    Level.SHOULD,
    clause="audio-task",
    counterexample=on_json(_other_task, when=_posted),
    operations=AUDIO,
    about=_verbose,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def task(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``task`` names what was done: ``transcribe`` keeps the language, ``translate`` results in English."""
    found = seen.json.get("task") if isinstance(seen.json, dict) else None
    wanted = _TASKS[seen.case.operation]
    if found is not None and found != wanted:
        yield seen.finding("another task", place="/task", expected=wanted, actual=found)


def _segments(value: Any) -> list[Mapping[str, Any]]:
    """The segments that are objects."""
    found = value.get("segments") if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _backwards(value: Any, _request: Request) -> Any:
    """Counterexample: a segment starts after its end."""
    found = _segments(value)
    if not found or not _is_verbose(value):
        return None
    first = {**found[0], "start": float(found[0].get("end") or 0) + 1.0}
    return {**value, "segments": [first, *found[1:]]}


@check(
    "audio.segments.order",
    Level.SHOULD,
    clause="audio-segments-in-order",
    counterexample=on_json(_backwards, when=_posted),
    operations=AUDIO,
    about=_verbose,
    needs=Needs.SUCCESS,
)
def segments_order(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Segments are sorted by start time and end no earlier than they start. Subtitles are made from them."""
    last = float("-inf")
    for index, item in enumerate(_segments(seen.json)):
        start, end = item.get("start"), item.get("end")
        # Segments without times are reported by the schema.
        if not isinstance(start, int | float) or not isinstance(end, int | float):
            continue
        if end < start or start < last:
            yield seen.finding("a segment out of order", place=f"/segments/{index}", expected=f"from {last}",
                               actual=f"{start} to {end}")  # fmt: skip
        last = start


def _asks_for_words(spec: Spec, case: Case) -> bool:
    """The request asks for times of words."""
    return _verbose(spec, case) and "word" in _granularities(case)


def _wordless(value: Any, _request: Request) -> Any:
    """Counterexample: words have no end time."""
    return {**value, "words": [{**word, "end": None} for word in value["words"]]} if value.get("words") else None


@check(
    "audio.words",
    Level.SHOULD,
    clause="audio-word-timestamps",
    counterexample=on_json(_wordless, when=_posted),
    operations=AUDIO[:1],
    about=_asks_for_words,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def words(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With the granularity ``word`` the answer has words with start and end times in seconds."""
    found = seen.json.get("words") if isinstance(seen.json, dict) else None
    if not isinstance(found, list):
        yield seen.finding("no words", place="/words", expected="a list", actual=found)
        return
    for index, word in enumerate(found):
        times = [word.get(name) for name in ("start", "end")] if isinstance(word, dict) else [None]
        if not all(isinstance(time, int | float) for time in times):
            yield seen.finding("a word without its time", place=f"/words/{index}", expected="numbers", actual=times)
            return
