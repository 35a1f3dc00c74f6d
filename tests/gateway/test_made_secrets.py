"""A secret that the upstream makes for a client is kept on neither side; an honest gateway isn't blamed for that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.corpus.corpus import build_corpus
from conformance.passage.judge import judged
from conformance.redaction import HIDDEN
from conformance.requests.case import Case, Family
from conformance.settings.gateway import Gateway as Declarations
from conformance.spec.spec import Spec

from .editing import put
from .forwarder import HONEST, Alteration
from .stage import Stage, stage


def _asked(spec: Spec) -> dict[str, Case]:
    """Requests for client secrets, by name."""
    corpus = enumerate(build_corpus(spec, "smoke"))
    found = {f"secret {number}": case for number, case in corpus if case.operation == "realtime.client_secrets.create"}
    return {name: case for name, case in found.items() if case.family is Family.TEMPLATE}


@pytest.fixture(scope="module")
def realtime() -> Iterator[Stage]:
    """An upstream that makes client secrets."""
    with stage("v1", _asked) as made:
        yield made


@pytest.mark.parametrize(
    ("alteration", "seen"),
    [(HONEST, set()), (Alteration("another session", answer=put("x", "session", "type")), {"/session/type"})],
    ids=lambda value: value.name if isinstance(value, Alteration) else "",
)
def test_an_answer_with_a_secret_is_compared_without_it(
    realtime: Stage, alteration: Alteration, seen: set[str]
) -> None:
    mark = realtime.above.tape.mark
    passed = realtime.through(alteration, tuple(realtime.cases))
    rows = judged(passed.record, realtime.spec, Declarations()).rows
    assert seen == {row.field for row in rows if row.rule == "via.answer.body"}
    told = [row.answer.body for row in realtime.above.tape.since(mark) if row.answer is not None]
    told += [passage.got.body for passage in passed.record.passages if passage.got is not None]
    assert [] == [body for body in told if b"ek_" in body]
    assert any(HIDDEN.encode() in body for body in told)
