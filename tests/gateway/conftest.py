"""One stage for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .stage import Stage, stage


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    """An upstream with an honest gateway in front."""
    with stage() as made:
        yield made
