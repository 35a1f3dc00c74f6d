"""Which branches of two unions belong together: for what is compared of two versions, there is one way to say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from attrs import frozen

__all__ = ["Pairing", "Sign", "paired"]

T = TypeVar("T")

#: How sure it is that an old and a new branch belong together: 0 for not at all.
Sign: TypeAlias = Callable[[T, T], float]


@frozen
class Pairing(Generic[T]):
    """The pairs of (old, new) branches, and those of each side that have no partner."""

    pairs: tuple[tuple[T, T], ...]
    gone: tuple[T, ...]
    come: tuple[T, ...]


def paired(olds: Sequence[T], news: Sequence[T], *signs: Sign[T]) -> Pairing[T]:
    """Pair the branches of two unions by some signs, the surest first. Each branch is used once.

    A branch that a sure sign pairs is never taken by one that only looks alike. Of several partners the surest counts,
    and of equal ones the first.
    """
    left, right = list(olds), list(news)
    pairs: list[tuple[T, T]] = []
    for sign in signs:
        rest = []
        for old in left:
            sure = [sign(old, new) for new in right]
            if any(sure):
                pairs.append((old, right.pop(sure.index(max(sure)))))
            else:
                rest.append(old)
        left = rest
    return Pairing(tuple(pairs), tuple(left), tuple(right))
