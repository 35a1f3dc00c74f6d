"""Cases: ids that depend on content alone, and a lossless JSON form."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from conformance.requests.case import (
    Auth,
    Break,
    Case,
    Cost,
    Expect,
    Family,
    JsonBody,
    Multipart,
    Part,
    RawBody,
    Version,
)
from conformance.verdict import Level

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
BODIES = (
    st.none()
    | JSON.map(JsonBody)
    | st.binary(max_size=20).map(RawBody)
    | st.binary(max_size=20).map(lambda data: Multipart((Part("file", data, "a.bin", "application/octet-stream"),)))
)


def case(**more: object) -> Case:
    return Case(operation="chat.completions.create", method="POST", path="/d/{deployment-id}/chat", **more)  # type: ignore[arg-type]


@given(BODIES)
def test_the_json_form_loses_nothing(body: object) -> None:
    made = case(
        path_params={"deployment-id": "{deployment}"},
        query=(("limit", "2"),),
        headers=(("x-a", "b"),),
        body=body,
        family=Family.VIOLATION,
        expect=Expect.REJECT,
        level=Level.SHOULD,
        reason="because",
        breaks=Break("/n", "maximum"),
        auth=Auth.WRONG,
        api_version=Version.UNKNOWN,
        cost=Cost(tokens=3),
        creates={"thread": "/id"},
        undo=case(),
    )
    again = Case.from_json(json.loads(json.dumps(made.to_json())))
    assert made == again
    assert made.id == again.id


def test_binding_keeps_the_id() -> None:
    assert case().id == case().bind(deployment="gpt-4o").id


def test_a_step_of_a_scenario_is_another_case() -> None:
    assert 3 == len({case().id, case().at("s", "create").id, case().at("s", "get").id})


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_members_does_not_change_the_id(names: list[str]) -> None:
    assert case(body=JsonBody(dict.fromkeys("abc", 1))).id == case(body=JsonBody(dict.fromkeys(names, 1))).id


def test_the_id_is_the_same_in_a_process_with_another_hash_seed() -> None:
    text = (
        "from conformance.requests.case import Case, JsonBody;"
        "print(Case(operation='o', method='POST', path='/p', body=JsonBody({'b': 1, 'a': [None, 'ü']})).id)"
    )
    here = Case(operation="o", method="POST", path="/p", body=JsonBody({"a": [None, "ü"], "b": 1})).id
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        made = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment, check=True)
        assert here == made.stdout.strip()
