"""``spec check``: may an api-version be used? It lints, its requests can be derived, its own emulator is conformant.

The run is that of the command ``run``, in a process and a folder of its own: no configuration of the caller takes part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from conformance._parts import late
from conformance.errors import UsageError
from conformance.requests.profile import Profile
from conformance.spectools.lint import lint
from conformance.verdict import Outcome

if TYPE_CHECKING:
    from reports import jsonl
else:
    jsonl = late("reports.jsonl")

__all__ = ["SECONDS", "gate"]

#: How long the run may take, in seconds.
SECONDS = 3600.0

#: Our variables that say nothing about the run: those of the cache folder.
_KEPT = "AOAI_CONFORMANCE"

#: How many verdicts are named; the others are counted.
_MOST = 40


def gate(
    version: str, folder: Path | None = None, *, profile: str = Profile.STANDARD, seconds: float = SECONDS
) -> Iterator[str]:
    """Yield a line for each reason why the version may not be used; none if it may.

    Raises :class:`UsageError` for an unknown version, and if the run takes longer than ``seconds``.
    """
    # A look with a small profile leaves out the exhaustive one, whose derivation takes longer than all the rest.
    wanted = tuple(one for one in Profile.ALL if profile not in Profile.CHOSEN or one != Profile.EXHAUSTIVE)
    problems = lint((version,), folder, profiles=wanted)
    yield from map(str, problems)
    # Requests of a folder with mistakes prove nothing.
    if not problems:
        yield from _run(version, folder, profile, seconds)


def _run(version: str, folder: Path | None, profile: str, seconds: float) -> Iterator[str]:
    """Yield what keeps the embedded emulator from being conformant."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT) or not name.startswith("AOAI_")}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH", ""))))}
    with tempfile.TemporaryDirectory(prefix="aoai-check-") as scratch:
        command = [sys.executable, "-m", "conformance", "run", "--api-version", version, "--profile", profile]
        command += ["--out", str(Path(scratch) / "out")]
        if folder is not None:
            command += ["--specs", str(folder.absolute())]
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise UsageError(
                f"the run of the emulator took longer than {seconds:g} seconds", where=version, hint="--timeout"
            ) from None
        if done.returncode == 0:
            return
        report = Path(scratch) / "out" / version
        if report.is_dir():
            yield from _verdicts(version, report)
        told = [line for line in done.stdout.splitlines() if line.startswith(f"{version}: ")]
        yield told[-1] if told else f"{version}: the run ended with {done.returncode}: {done.stderr.strip()[-500:]}"


def _verdicts(version: str, folder: Path) -> Iterator[str]:
    """Yield the errors and failures of a report, one line each."""
    bad = [one for one in jsonl.read(folder).verdicts if one.outcome in (Outcome.ERROR, Outcome.FAIL)]
    for verdict in islice(bad, _MOST):
        first = verdict.findings[0].message if verdict.findings else verdict.reason
        yield f"{version}: {verdict.outcome} {verdict.check} in {verdict.scenario}: {first}"
    if len(bad) > _MOST:
        yield f"{version}: {len(bad) - _MOST} more errors and failures"
