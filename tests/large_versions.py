"""Api-versions whose requests take long to derive: what goes through all of them is tried in ``tox run -e prove``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from conformance.spec.loading import load
from conformance.spec.operations import operations_of

__all__ = ["LARGE", "large_proved"]

#: The number of operations from which a version is large.
LARGE = 100


def large_proved(names: Iterable[str]) -> list[Any]:
    """The versions as parameters of a test, the large ones with the marker ``prove``."""
    return [
        pytest.param(name, marks=pytest.mark.prove) if len(operations_of(load(name))) >= LARGE else name
        for name in names
    ]
