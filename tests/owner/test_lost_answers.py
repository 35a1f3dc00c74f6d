"""What creations made whose answers were lost is found in the lists of the target and removed. The target is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from served import command

from conformance.requests.profile import Profile
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

from .lossy_gateway import lossy
from .owned_emulator import creates, owned_emulator
from .test_nothing_left import footer_of


def searchable(version: str) -> set[str]:
    """The paths of the collections of the account that can be listed."""
    known = operations_of(load(version)).values()
    posts = {one.path for one in known if one.method == "POST" and "{" not in one.path}
    return {one.path for one in known if one.method == "GET"} & posts


def lost_objects_are_removed(version: str, profile: str, state: Path) -> None:
    """The property, for one version and profile."""
    with owned_emulator(version, state, 500) as owned, lossy(owned.url, 5) as (url, lost):
        given = ("--target", url, "--api-version", version, "--profile", profile, "--out", "out")
        done = command(state, "run", *given, "--cleanup-timeout", "120")
        assert done.code in (1, 3), done.out + done.err
        base = load(version).base_path
        wanted = {id for path, id in lost if path.removeprefix(base) in searchable(version)}
        footer = footer_of(state, version)
        unanswered = footer["unanswered"]
        unmarked = [line for line in unanswered if "no field for a mark" in line]
        # A job that was found is stopped, because the API has no operation that removes it.
        excused = {line.split(" ")[0].rpartition("/")[2] for line in footer["cannot_be_removed"]}
        left = (wanted & {id for ids in owned.left.values() for id in ids}) - excused
        # Most requests have a mark. What the others made is told, and nothing else is left.
        assert len(left) <= len(unmarked) < max(1, len(wanted)), (left, unanswered)
        assert [] == [line for line in unanswered if re.search(r"carr(y|ies)|answered|pages|no time", line)]
        assert {} == owned.foreign_changes
        # The gateway still loses answers, but the clean-up creates nothing.
        again = command(state, "cleanup", "--yes", "--json", "--target", url)
        assert (0, len(unanswered)) == (json.loads(again.out)["left"], json.loads(again.out)["unanswered"])
        assert {} == owned.foreign_changes


def test_lost_objects_of_a_small_run_are_removed(tmp_path: Path) -> None:
    lost_objects_are_removed("v1-preview", Profile.SMOKE, tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("version", [version for version in versions() if creates(version)])
def test_lost_objects_are_removed_in_every_version(version: str, tmp_path: Path) -> None:
    lost_objects_are_removed(version, Profile.STANDARD, tmp_path)
