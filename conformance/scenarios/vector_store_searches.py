"""A vector store with two files is searched in several ways, and the text of a file is read."""

from __future__ import annotations

from typing import Any

from conformance.requests.case import Case
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, poll_status, status_of
from conformance.scenarios.vector_stores import ENDS, FILES, STORE, attach, stores_with_files
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

_NAME, _SEARCH = "vector_stores.searched", "vector_stores.search"


@scenario(_NAME, operations=("vector_stores.create", f"{FILES}.create", _SEARCH), requests=60)
def searched(spec: Spec, settings: Settings) -> Script:
    """The files carry page numbers, by which a filter tells them apart."""
    made = yield from stores_with_files(spec, _NAME, settings, 2)
    if made is None:
        return
    ready, known = made
    (seen,) = yield (attach(spec, _NAME, known, 1, ready.needed[1]),)
    if not seen.ok:
        return
    known |= {"attached.0": ready.needed[0], "attached.1": ready.needed[1]}

    def on(operation: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, operation, *ids, role=role, known=known, **more).at(_NAME, role)

    ended = yield from poll_status(on(STORE, "{store}", role="store.get"), "store.get", ENDS, settings)
    if status_of(ended) not in ENDS:
        return
    if f"{FILES}.modify" in operations_of(spec):
        for page in (0, 1):
            body = {"attributes": {"page": page}}
            yield (on(f"{FILES}.modify", "{store}", f"{{attached.{page}}}", role=f"page.{page}", body=body),)
    second = {"type": "eq", "key": "page", "value": 1}
    joined = {"type": "or", "filters": [{"type": "gt", "key": "page", "value": 7}, second]}
    sent: dict[str, dict[str, Any]] = {
        "search": {},
        "search.one": {"max_num_results": 1},
        "search.page": {"filters": second},
        "search.joined": {"filters": joined},
        "search.threshold": {"ranking_options": {"score_threshold": 1}},
    }
    yield tuple(
        on(_SEARCH, "{store}", role=role, body={"query": "What is told here?", **more}) for role, more in sent.items()
    )
    if f"{FILES}.content" in operations_of(spec):
        yield (on(f"{FILES}.content", "{store}", "{attached.1}", role="content"),)
