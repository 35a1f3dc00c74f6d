"""This file puts its folder on the import path, because the folders below share the modules beside it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from conformance import redaction

# How long an example takes is the machine's business: no test depends on time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# The documents, requests and answers that tests share live to the end. Python would look for garbage among them after
# every 700 new objects, which takes a seventh of the time of all tests.
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def _secrets_of_one_test() -> Iterator[None]:
    """Forget the secrets that a test used: a key such as "assistant" would be hidden in the messages of other tests."""
    before = dict(vars(redaction.PROCESS))
    yield
    vars(redaction.PROCESS).update(before)
