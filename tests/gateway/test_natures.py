"""Every row says what it is: a defect, a policy of the gateway, or what an intermediary may do. Rules decide, and the
owner of the gateway before them.
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.passage.judge import Row
from conformance.passage.natures import DECLARES, TABLE
from conformance.passage.passage import Kind
from conformance.settings.gateway import Declared, Gateway, Nature
from conformance.verdict import Level

from .editing import drop, field, in_json, more, put, rename, target
from .forwarder import Alteration
from .stage import Stage, verdict


def _deployment(body: Any) -> None:
    body["model"] = "gpt-4o"


def _prefixed(text: str) -> str:
    return f"gateway: upstream said: {text}"


def _rows(running: Stage, alteration: Alteration, declared: Gateway | None = None) -> tuple[Row, ...]:
    return verdict(running.through(alteration, ("plain", "streamed", "wrong")), declared).rows


@pytest.mark.parametrize(
    ("alteration", "rule", "nature"),
    [
        (Alteration("another model", request=field("model", "gpt-x")), "via.request.body", Nature.POLICY),
        (Alteration("adds", request=field("top_p", 1)), "via.request.body", Nature.POLICY),
        (Alteration("drops", request=drop("user")), "via.request.body", Nature.DEFECT),
        (Alteration("renames", answer=rename("x-request-id", "llm-x-request-id")), "via.answer.headers", Nature.POLICY),
        (Alteration("loses", answer=lambda m: m.without("x-ms-region")), "via.answer.headers", Nature.DEFECT),
        (Alteration("wraps", answer=put(_prefixed, "error", "message")), "via.answer.error", Nature.POLICY),
        (Alteration("replaces", answer=put("no", "error", "message")), "via.answer.error", Nature.DEFECT),
        (Alteration("adds a field", answer=more("X-Cost", "1")), "via.answer.other-headers", Nature.LEGAL),
        (
            Alteration("other version", request=target(lambda path: path.replace("2024-", "2023-"))),
            "via.request.query",
            Nature.DEFECT,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Alteration) else "",
)
def test_a_row_says_what_it_is(alteration: Alteration, rule: str, nature: Nature, running: Stage) -> None:
    rows = [row for row in _rows(running, alteration) if row.rule == rule]
    assert {nature} == {row.judgement.nature for row in rows}
    assert all(row.judgement.why and row.judgement.source for row in rows)


def test_the_deployment_of_the_path_in_the_body_is_legal_and_scores_nothing(running: Stage) -> None:
    rows = _rows(running, Alteration("repeats the deployment", request=in_json(_deployment)))
    assert [("/model", Nature.LEGAL, Level.OBS)] == [(row.field, row.judgement.nature, row.level) for row in rows]


def test_what_its_owner_declares_comes_before_the_rules(running: Stage) -> None:
    declared = Gateway(removes=(Declared("answer:header:x-ms-region", "a bug, to be fixed in May", Nature.DEFECT),))
    (row,) = _rows(running, Alteration("loses", answer=lambda m: m.without("x-ms-region")), declared)
    assert row.judgement.declared
    assert (Nature.DEFECT, "a bug, to be fixed in May") == (row.judgement.nature, row.judgement.why)


def test_every_sentence_has_a_source() -> None:
    assert all(one.judgement.why and one.judgement.source for one in TABLE)


def test_every_kind_can_be_declared() -> None:
    assert set(Kind) == {kind for kinds in DECLARES.values() for kind in kinds}
