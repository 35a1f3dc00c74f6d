"""What workers left that ended without a word, because somebody killed them or the memory was full."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from conformance.run.ending import Ended
from conformance.run.opening import Opened
from conformance.target.journal import COPIES
from conformance.target.journal_folder import journals, writer
from conformance.target.recovery import opener, recover

__all__ = ["recovered"]


def recovered(opened: Opened, folder: Path, pids: Collection[int]) -> Ended:
    """Remove what some processes created in an api-version, by the copies of their journals in its ``folder``. Returns
    what is left. Raises nothing that concerns the target.
    """
    ended = Ended()
    if opened.embedded:
        return ended
    options = opened.chosen.options
    theirs = [path for path in journals(folder / COPIES) if writer(path) in pids]
    for one in recover(theirs, opener(opened.config, options.specs), options.cleanup_timeout):
        ended += Ended.of(one.cleaned, [f"removing what a worker created: {one.reason}"] if one.reason else ())
    return ended
