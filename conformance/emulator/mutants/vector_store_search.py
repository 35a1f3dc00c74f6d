"""Mutants of searches: limit, filter and threshold that do nothing, results of others, pages without an end."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import each_object, edited, with_fields
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

SEARCH, CONTENT = "vector_stores.search", "vector_stores.files.content"


def _without(call: Call, answer: Handler, field: str) -> Response:
    """The answer to the request without a field."""
    return answer(evolve(call, body={name: value for name, value in call.body.items() if name != field}))


def _on_page(response: Response, **fields: Any) -> Response:
    """The answer with some fields of the page itself."""
    return edited(response, lambda page: {**page, **fields})


@mutant("search.ignores-limit", "A search has at most max_num_results results.", SEARCH)
def ignores_limit(call: Call, answer: Handler) -> Response:
    return _without(call, answer, "max_num_results")


@mutant("search.ignores-filters", "Results satisfy the filter.", SEARCH)
def ignores_filters(call: Call, answer: Handler) -> Response:
    return _without(call, answer, "filters")


@mutant("search.ignores-threshold", "No result scores less than the threshold.", SEARCH)
def ignores_threshold(call: Call, answer: Handler) -> Response:
    return _without(call, answer, "ranking_options")


@mutant("search.filter-inverted", "A result has the value that the filter names.", SEARCH)
def filter_inverted(call: Call, answer: Handler) -> Response:
    wanted = call.body.get("filters")
    if not isinstance(wanted, dict) or wanted.get("type") != "eq":
        return answer(call)
    return answer(evolve(call, body={**call.body, "filters": {**wanted, "type": "ne"}}))


@mutant("search.of-another-store", "The results are files of the store.", SEARCH)
def of_another_store(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), file_id="file-of-another-store")


@mutant("search.score-out-of-range", "A score is between 0 and 1.", SEARCH)
def score_out_of_range(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), score=100)


@mutant("search.no-attributes", "Each result has the attributes of its file.", SEARCH)
def no_attributes(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("attributes", None))


@mutant("search.promises-more", "A page with more has a token.", SEARCH, CONTENT)
def promises_more(call: Call, answer: Handler) -> Response:
    return _on_page(answer(call), has_more=True)


@mutant("search.token-for-nothing", "The last page has no token.", SEARCH, CONTENT)
def token_for_nothing(call: Call, answer: Handler) -> Response:
    return _on_page(answer(call), next_page="page_2")


@mutant("search.another-kind", "A page of results says what it is.", SEARCH, CONTENT)
def another_kind(call: Call, answer: Handler) -> Response:
    return _on_page(answer(call), object="list")


@mutant("search.content-of-another", "The content of a file in a store is its own.", CONTENT)
def content_of_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), text="The text of another file.")


@mutant("search.content-cut", "The content of a file in a store is whole.", CONTENT)
def content_cut(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda part: part.update(text=part["text"][: len(part["text"]) // 2]))


@mutant("search.content-missing", "A file in a store has a content.", CONTENT)
def content_missing(call: Call, answer: Handler) -> Response:
    return _on_page(answer(call), data=[])
