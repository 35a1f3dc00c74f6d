"""How hard an error of a schema counts by the document of another api-version: an absent field is a warning there."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.schema_findings import level_of_error
from conformance.requests.case import OTHER_VERSION, Case
from conformance.requests.request import Request
from conformance.schema.validators import SchemaError
from conformance.verdict import Level

SEEN = Observation(
    Case("files.get", "GET", "/files/{file_id}", role=OTHER_VERSION), Exchange(Request("GET", "http://target/files/1"))
)


def error(keyword: str, branch: int = 0, *causes: SchemaError) -> SchemaError:
    return SchemaError("/data", "/components/schemas/Any", keyword, "wrong", causes, branch=branch)


ABSENT, WRONG = error("required"), error("type")
SECOND = error("required", 1)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (ABSENT, Level.SHOULD),
        (WRONG, None),
        (error("anyOf", 0, ABSENT, error("type", 1)), Level.SHOULD),
        (error("oneOf", 0, WRONG, ABSENT, error("type", 1)), None),
        (error("oneOf", 0, WRONG, SECOND, SECOND), Level.SHOULD),
        (error("anyOf", 0, error("oneOf", 0, ABSENT), error("type", 1)), Level.SHOULD),
        (error("anyOf"), None),
    ],
    ids=["absent", "wrong", "branch-lacks-it", "branch-is-wrong-too", "second-branch", "union-in-union", "no-causes"],
)
def test_an_absent_field_is_a_warning_inside_a_union_too(found: SchemaError, level: Level | None) -> None:
    assert level is level_of_error(SEEN, found)


def test_by_the_document_of_its_own_version_the_check_decides() -> None:
    own = Observation(evolve(SEEN.case, role=""), SEEN.exchange)
    assert level_of_error(own, ABSENT) is None
