"""Hostile targets on real sockets: each run ends within its limits, in bounded memory, without a wrong verdict.

A sample runs with the suite, all of them with ``tox -e prove``. ``python tests/gauntlet`` prints the table.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from behaviours import BEHAVIOURS
from bounded_run import trial

#: One that would fill the memory and take all time: each costs a whole run. Targets that tell
#: secrets are in tests/e2e/test_canary.py too.
SAMPLE = ("endless-body",)


def survived(name: str, folder: Path) -> None:
    made = trial(name, folder)
    assert [] == made.problems, (made.conclusion, made.outcomes, made.out[-2000:], made.err[-2000:])


def test_the_gauntlet_is_long_enough() -> None:
    assert 40 <= len(BEHAVIOURS)
    assert set(SAMPLE) <= set(BEHAVIOURS)
    assert [] == [name for name, behaviour in BEHAVIOURS.items() if not behaviour.about]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_hostile_target_is_survived(name: str, tmp_path: Path) -> None:
    survived(name, tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("name", [name for name in BEHAVIOURS if name not in SAMPLE])
def test_every_hostile_target_is_survived(name: str, tmp_path: Path) -> None:
    survived(name, tmp_path)
