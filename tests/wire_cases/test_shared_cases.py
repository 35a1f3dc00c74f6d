"""The shared wire cases, where that file lies beside the checkout: each has the expected verdict."""

from __future__ import annotations

import pytest
from test_wire_cases import judged
from wire_stage import ELSEWHERE, shared_cases, wire_cases


@pytest.fixture(autouse=True)
def _shared() -> None:
    """Skip where the file is absent."""
    if not shared_cases():
        pytest.skip("needs the shared wire cases (folder shared beside the project, or $AOAI_SHARED)")


@pytest.mark.parametrize("name", wire_cases())
def test_the_example_of_the_file(name: str) -> None:
    """The file's own example gets the same verdict as our miniature."""
    if name not in shared_cases():
        pytest.skip("a case of our own")
    judged(wire_cases()[name], shared_cases()[name]["example"])


def test_every_case_is_played_or_stands_in_another_test() -> None:
    """No case of the file is forgotten."""
    assert set() == set(shared_cases()) - set(wire_cases()) - set(ELSEWHERE)
