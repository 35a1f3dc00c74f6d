"""Branches of two unions belong together by the surest sign that joins them."""

from __future__ import annotations

from conformance.migration.pairing import Pairing, paired


def _same(old: str, new: str) -> bool:
    return old == new


def _initial(old: str, new: str) -> bool:
    return old[0] == new[0]


def _overlap(old: str, new: str) -> int:
    return len(set(old) & set(new))


def test_a_branch_that_a_sure_sign_pairs_is_not_taken_by_a_weaker_one() -> None:
    assert Pairing((("apple", "apple"), ("avocado", "apricot")), (), ()) == paired(
        ["avocado", "apple"], ["apple", "apricot"], _same, _initial
    )


def test_of_several_partners_the_surest_counts_and_of_equal_ones_the_first() -> None:
    assert Pairing((("abcd", "abc"),), (), ("ab", "abd")) == paired(["abcd"], ["ab", "abc", "abd"], _overlap)


def test_what_no_sign_joins_is_gone_or_has_come() -> None:
    assert Pairing((), ("one",), ("two", "six")) == paired(["one"], ["two", "six"], _same)
    assert Pairing((), (), ("two",)) == paired([], ["two"], _same)
    assert Pairing((), ("one",), ()) == paired(["one"], [], _same)
