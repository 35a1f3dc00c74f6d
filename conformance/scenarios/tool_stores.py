"""Vector stores that a thread or an assistant is created with, and tool resources that are replaced."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import IMPOSSIBLE, MARK, answer_of, call, create, created_id
from conformance.spec.spec import Spec

_NAME = "assistants.stores"

#: Where a thread or an assistant names its vector stores.
STORES = "/tool_resources/file_search/vector_store_ids"


def _store_of(seen: Exchange) -> str | None:
    """The id of the first vector store that an answer names."""
    found = look_up(answer_of(seen), f"{STORES}/0")
    return found if isinstance(found, str) and found else None


def _with_store(*file_ids: str) -> dict[str, Any]:
    """Tool resources that ask for a new vector store with some files."""
    files = {"file_ids": list(file_ids)} if file_ids else {}
    return {"file_search": {"vector_stores": [{**files, "metadata": MARK}]}}


@scenario(
    _NAME,
    operations=("threads.create", "assistants.create", "assistants.modify", "assistants.get", "vector_stores.get"),
    requests=22,
    features=("assistants.file_search",),
)
def stores(spec: Spec, settings: Settings) -> Script:
    """A thread and an assistant are created with a vector store each; the assistant then gets the thread's store.

    A third store is asked for with a file. Where files can't be uploaded its id is one that no file has, and the
    target may refuse it.
    """
    search = {"tools": [{"type": "file_search"}]}
    thread, assistant = kind("thread"), kind("assistant")
    filed = create(
        spec, thread, "filed", wanted={"tool_resources": _with_store("file-" + IMPOSSIBLE)}, role="filed.create"
    )
    answers = yield (
        create(spec, thread, "thread", wanted={"tool_resources": _with_store()}, role="thread.create").at(
            _NAME, "thread"
        ),
        create(
            spec, assistant, "assistant", wanted={**search, "tool_resources": _with_store()}, role="assistant.create"
        ).at(_NAME, "assistant"),
        evolve(filed, expect=Expect.EITHER).at(_NAME, "filed"),
    )
    named = dict(zip(("thread", "assistant", "filed"), map(_store_of, answers), strict=True))
    looks: list[Case] = []
    for key, store in named.items():
        if store is not None:
            look = call(
                spec, "vector_stores.get", f"{{{key}.store}}", role=f"{key}.store", known={f"{key}.store": store}
            )
            looks.append(evolve(look, expect=Expect.EITHER).at(_NAME, f"{key}.store"))
    if looks:
        yield tuple(looks)
    made, store = created_id(answers[1]), named["thread"]
    if made is None or store is None:
        return
    known = {"assistant": made, "thread.store": store}
    body = {"tool_resources": {"file_search": {"vector_store_ids": ["{thread.store}"]}}}
    change = call(spec, "assistants.modify", "{assistant}", role="modify", body=body, known=known)
    (seen,) = yield (change.at(_NAME, "modify"),)
    if seen.ok:
        yield (call(spec, "assistants.get", "{assistant}", role="modified", known=known).at(_NAME, "modified"),)
