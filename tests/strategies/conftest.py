"""All tests and workers of a session share one cache folder of corpora."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="session", autouse=True)
def corpus_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "corpora"
    before = os.environ.get("AOAI_CONFORMANCE_CACHE")
    os.environ["AOAI_CONFORMANCE_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AOAI_CONFORMANCE_CACHE"]
    else:
        os.environ["AOAI_CONFORMANCE_CACHE"] = before
