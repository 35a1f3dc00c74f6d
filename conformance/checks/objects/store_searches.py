"""Checks of searching a vector store: what limit, filter and threshold of the request leave of the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from conformance.checks.objects.lifecycle import one
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import value_at
from conformance.scenarios.resource_kinds import NOTES
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

SEARCH = ("vector_stores.search",)

#: The documented number of results where the request names none.
RESULTS = 10

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}

_searched, _read = asked("POST", r"/search"), asked("GET", r"/content")


def _valid(spec: Spec, case: Case) -> bool:
    return case.expect is not Expect.REJECT


def _results(value: Any) -> list[dict[str, Any]]:
    """The results of an answer; entries that are no objects are the schema's matter."""
    data = value.get("data") if isinstance(value, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _with(value: Any, **fields: Any) -> Any:
    """An answer with one more result, like the last one but for some fields."""
    like = (_results(value) or [{"file_id": "file-1", "filename": "a.txt", "attributes": {}, "content": []}])[-1]
    return {**value, "data": [*_results(value), {"score": 0.0, **like, **fields}]}


def _most(sent: Any) -> int | None:
    """The most results that a request asks for; None where it doesn't say so in a way that counts."""
    most = sent.get("max_num_results", RESULTS) if isinstance(sent, dict) else RESULTS
    return int(most) if is_integer(most) else None


def _too_many(value: Any, request: Request) -> Any:
    """Counterexample: a result more than the limit, all like the last one."""
    most = _most(request.json)
    if most is None:
        return None
    longer = _with(value)
    return {**longer, "data": (longer["data"] + [longer["data"][-1]] * most)[: most + 1]}


@check(
    "stores.search.limit",
    Level.SHOULD,
    clause="vector-store-search-limit",
    counterexample=on_json(_too_many, when=_searched),
    operations=SEARCH,
    about=_valid,
    needs=Needs.SUCCESS,
)
def limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """There are no more results than ``max_num_results``, which is 10 where the request has none."""
    most = _most(seen.exchange.request.json)
    if most is not None and len(_results(seen.json)) > most:
        yield seen.finding("more results than asked for", place="/data", expected=most, actual=len(_results(seen.json)))


def _below(value: Any, request: Request) -> Any:
    """Counterexample: a result scores half of the threshold."""
    least = _number(look_up(request.json, "/ranking_options/score_threshold"))
    return _with(value, score=least / 2) if least and least > 0 else None


@check(
    "stores.search.threshold",
    Level.SHOULD,
    clause="vector-store-search-threshold",
    counterexample=on_json(_below, when=_searched),
    operations=SEARCH,
    about=lambda spec, case: _valid(spec, case) and bool(_number(value_at(case, "/ranking_options/score_threshold"))),
    needs=Needs.SUCCESS,
    entails=("stores.search.limit",),
)
def threshold(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No result scores less than ``score_threshold``."""
    least = _number(look_up(seen.exchange.request.json, "/ranking_options/score_threshold"))
    for index, item in enumerate(_results(seen.json)):
        score = _number(item.get("score"))
        if least is not None and score is not None and score < least:
            yield seen.finding("a result below the threshold", place=f"/data/{index}", expected=least, actual=score)


def _fits(attributes: Any, wanted: Any) -> bool:
    """Do attributes satisfy a filter? True for what can't be decided: unknown kinds, and values of another type."""
    kind = look_up(wanted, "/type")
    if kind in ("and", "or"):
        inner = [_fits(attributes, each) for each in look_up(wanted, "/filters") or ()]
        return all(inner) if kind == "and" else any(inner) or not inner
    compare = _COMPARISONS.get(str(kind))
    if compare is None:
        return True
    key, value = look_up(wanted, "/key"), look_up(wanted, "/value")
    if not isinstance(attributes, dict) or attributes.get(key) is None:
        return bool(kind == "ne")
    try:
        return bool(compare(attributes[key], value))
    except TypeError:
        return True


def _unfiltered(value: Any, request: Request) -> Any:
    """Counterexample: a file without attributes passes a filter."""
    wanted = look_up(request.json, "/filters")
    return None if wanted is None or _fits({}, wanted) else _with(value, attributes={})


@check(
    "stores.search.filter",
    Level.SHOULD,
    clause="vector-store-search-filter",
    counterexample=on_json(_unfiltered, when=_searched),
    operations=SEARCH,
    about=lambda spec, case: _valid(spec, case) and isinstance(value_at(case, "/filters"), dict),
    needs=Needs.SUCCESS,
    entails=("stores.search.limit", "stores.search.threshold"),
)
def filtered(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The attributes of each result satisfy the filter. Others read what they must not see."""
    wanted = look_up(seen.exchange.request.json, "/filters")
    for index, item in enumerate(_results(seen.json)):
        if not _fits(item.get("attributes"), wanted):
            place = f"/data/{index}/attributes"
            yield seen.finding("a result that the filter excludes", place=place, actual=item.get("attributes"))


def _promised(value: Any, _request: Request) -> Any:
    """Counterexample: there is more, and no token for it."""
    return {**value, "has_more": True, "next_page": None} if "has_more" in value else None


@check(
    "stores.pages.token",
    Level.SHOULD,
    clause="vector-store-page-token",
    counterexample=on_json(_promised, when=lambda exchange: _searched(exchange) or _read(exchange)),
    operations=("vector_stores.search", "vector_stores.files.content"),
    about=_valid,
    needs=Needs.SUCCESS,
)
def token(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``next_page`` is a token exactly where ``has_more`` is true: without it nobody gets to the rest."""
    more, next_page = look_up(seen.json, "/has_more"), look_up(seen.json, "/next_page")
    if more is True and not next_page:
        yield seen.finding(
            "there is more, and no token for it", place="/next_page", expected="a text", actual=next_page
        )
    if more is False and next_page:
        yield seen.finding("a token, and nothing more", place="/next_page", expected="null", actual=next_page)


def _stranger(value: Any, request: Request) -> Any:
    """Counterexample: a result of another store."""
    if not isinstance(request.json, dict) or set(request.json) != {"query"}:
        return None
    return _with(value, file_id="file-of-another-store")


@trace_check(
    "stores.search.own",
    Level.MUST,
    clause="vector-store-search-own",
    counterexample=on_json(_stranger, when=_searched),
    scenarios=("vector_stores.searched",),
    needs=("search",),
    entails=("stores.search.limit",),
)
def own(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The results are files of the store that was searched. Others read what they must not see."""
    seen, put = one(trace, "search"), one(trace, "attach")
    begun = one(trace, "store.create")
    if seen is None or put is None or begun is None:
        return
    sent = begun.exchange.request.json
    ids = {look_up(put.exchange.request.json, "/file_id"), *(look_up(sent, "/file_ids") or ())}
    strange = sorted({str(item.get("file_id")) for item in _results(seen.json)} - set(map(str, ids)))
    if strange:
        yield seen.finding("files that the store has not", place="/data", actual=strange)


def _other_words(value: Any, _request: Request) -> Any:
    """Counterexample: the text is that of another file."""
    data = value.get("data")
    if not isinstance(data, list) or not data:
        return None
    return {**value, "data": [{**part, "text": "Another file."} if isinstance(part, dict) else part for part in data]}


def _of_unknown_text(trace: Trace) -> str:
    """Why nobody knows what the file holds: a version without uploads takes files from elsewhere. "" if it is ours."""
    uploaded = any(seen.case.operation == "files.upload" for seen in trace)
    return "" if uploaded else "the file was not uploaded here, so nobody knows what it holds"


@trace_check(
    "stores.file.content",
    Level.SHOULD,
    clause="store-file-content",
    counterexample=on_json(_other_words, when=asked("GET", r"/vector_stores/\w+/files/[\w-]+/content")),
    scenarios=("vector_stores.searched",),
    needs=("content",),
    subject=_of_unknown_text,
)
def content(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The content of a file in a store is the words of the file, in their order. Line ends and parts may differ."""
    seen = one(trace, "content")
    parts = seen.json.get("data") if seen is not None else None
    words = (
        [word for part in parts if isinstance(part, dict) for word in str(part.get("text")).split()]
        if isinstance(parts, list)
        else []
    )
    wanted = NOTES.decode().split()
    if seen is not None and words != wanted and seen.json.get("has_more") is not True:
        yield seen.finding(
            "the text is not that of the file", place="/data", expected=" ".join(wanted), actual=" ".join(words)
        )
