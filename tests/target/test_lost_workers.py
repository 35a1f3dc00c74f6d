"""What a worker created that was killed is removed by its journal, and what other processes created is not touched."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.run.lost_workers import recovered
from conformance.run.opening import Opened
from conformance.settings.configuration import Config
from conformance.spec.spec import Spec
from conformance.target.journal import COPIES, Journal
from conformance.target.target import Target

from .conftest import Open, Serve
from .shelf import Shelf
from .test_target import CREATE

pytestmark = pytest.mark.usefixtures("no_pauses")

Stage = tuple[Shelf, Config, Spec]


@pytest.fixture
def stage(serve: Serve, open_target: Open, spec: Spec) -> Stage:
    """A target, its configuration, and its api-version."""
    shelf = Shelf(serve, {"id": "asst_1"})
    return shelf, open_target(shelf.url).config, spec


@pytest.mark.parametrize(("lost", "embedded", "held"), [(True, False, 0), (False, False, 1), (True, True, 1)])
def test_what_a_lost_worker_created_is_removed(
    stage: Stage, tmp_path: Path, *, lost: bool, embedded: bool, held: int
) -> None:
    shelf, config, spec = stage
    journal = Journal(tmp_path, target=shelf.url, api_version=spec.version, worker="gw1", copies=tmp_path / COPIES)
    with Target(config, spec, journal=journal) as worker:
        worker.send(CREATE)
    for stream in journal._streams:  # it is killed: nothing is removed, and the lock ends with the file
        stream.close()
    chosen = SimpleNamespace(options=SimpleNamespace(specs=None, cleanup_timeout=10.0))
    opened = cast("Opened", SimpleNamespace(config=config, embedded=embedded, chosen=chosen))
    ended = recovered(opened, tmp_path, {os.getpid()} if lost else {1})
    assert ((), ()) == (ended.left, ended.troubles)
    assert (held, bool(held)) == (len(shelf.objects), journal.path.exists())
