"""``python tests/mutants``: mutate the modules of plan.toml, and hold the survivors against survivors.toml.

Exit code 0: every survivor is listed, and at least 90 % of the mutants that could be killed were. Exit code 1: not so,
or the list names a mutant that is killed or doesn't exist, or the trials of a module could not be made.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from journal import Journal, digest  # noqa: E402 - the path comes first
from mutation import Identity, Mutation, mutations  # noqa: E402 - as above
from parentage import end_on_signals  # noqa: E402 - as above
from trial import ROOT, Fate, baseline, in_own_process, trials, warm  # noqa: E402 - as above

#: The share of the mutants that can be killed which must be.
WANTED = 0.9


class Survivor(NamedTuple):
    """An entry of survivors.toml. ``equivalent``: no test can kill it. Otherwise it counts against the score."""

    why: str
    equivalent: bool


class Score(NamedTuple):
    """What came of one module."""

    module: str
    fates: tuple[tuple[Mutation, Fate], ...]
    listed: Mapping[Identity, Survivor]
    seconds: float

    def of(self, *fates: Fate) -> list[Mutation]:
        return [mutation for mutation, fate in self.fates if fate in fates]

    @property
    def survivors(self) -> list[Mutation]:
        return self.of(Fate.SURVIVED)

    @property
    def unknown(self) -> list[Mutation]:
        return [mutation for mutation in self.survivors if mutation.identity not in self.listed]

    @property
    def equivalent(self) -> int:
        return sum(one.identity in self.listed and self.listed[one.identity].equivalent for one in self.survivors)


def share(scores: Sequence[Score]) -> float:
    """Killed mutants among those that could be killed."""
    killed = sum(len(score.of(Fate.KILLED, Fate.SLOW)) for score in scores)
    possible = sum(len(score.fates) - score.equivalent for score in scores)
    return killed / possible if possible else 1.0


def read_survivors(path: Path) -> dict[Identity, Survivor]:
    """The listed survivors by identity."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return {
        Identity(e["module"], e["where"], e["was"], e["becomes"]): Survivor(e["why"], e.get("equivalent", True))
        for e in entries
    }


def _tried(module: str, made: Sequence[Mutation], tests: Sequence[str], folder: Path, jobs: int) -> Iterator[Any]:
    warm(module, folder)
    code, usual, text = baseline(module, tests, folder)
    if code != 0:
        raise RuntimeError(f"{module}: its tests end with exit code {code} without any mutant\n{text}")
    yield from trials(module, [one.source for one in made], tests, folder, jobs=jobs, usual=usual)


def score_of(
    module: str,
    tests: Sequence[str],
    listed: Mapping[Identity, Survivor],
    folder: Path,
    *,
    jobs: int,
    most: int,
    journal: Journal,
) -> Score:
    """Try the mutants of one module, or ``most`` of them, spread evenly.

    Raises :class:`RuntimeError` if its tests fail without any mutant, or if a trial could not be made.
    """
    began = time.monotonic()
    made = mutations(ROOT.joinpath(*module.split(".")).with_suffix(".py"), module)
    if most and len(made) > most:
        made = made[:: len(made) // most][:most]
    code = digest(tests)
    fates = {one: journal.known(code, one) for one in made}
    left = [one for one, fate in fates.items() if fate is None]
    if left:
        for number, fate in in_own_process(_tried, module, left, tests, folder / module, jobs):
            fates[left[number]] = fate
            journal.note(code, left[number], fate)
    found = tuple((one, fate) for one, fate in fates.items() if fate is not None)
    return Score(module, found, listed, time.monotonic() - began)


def _as_toml(mutation: Mutation) -> str:
    module, where, was, becomes = (_quoted(part) for part in mutation.identity)
    return (
        f"[[survivor]]  # line {mutation.line}, {mutation.operator}\n"
        f'module = {module}\nwhere = {where}\nwas = {was}\nbecomes = {becomes}\nwhy = ""\n'
    )


def _quoted(text: str) -> str:
    if "'" not in text and "\n" not in text:
        return f"'{text}'"
    return f"'''\n{text}'''"


def _row(score: Score, name: str) -> str:
    killed, slow, survivors = (len(score.of(fate)) for fate in (Fate.KILLED, Fate.SLOW, Fate.SURVIVED))
    return (
        f"{name:<44} {len(score.fates):>7} {killed:>6} {slow:>4} {survivors:>8} {score.equivalent:>10}"
        f" {len(score.unknown):>7} {share([score]):>7.1%} {score.seconds:>6.0f} s"
    )


def _told(scores: Sequence[Score], stale: Sequence[Identity]) -> None:
    """Print the listed survivors with their reasons, the unknown ones ready to be listed, and the table."""
    for score in scores:
        for one in score.survivors:
            if one.identity in score.listed:
                entry = score.listed[one.identity]
                kind = "equivalent" if entry.equivalent else "survives"
                print(f"{kind}: {score.module}:{one.line} {one.identity.where}\n  - {one.identity.was}")
                print(f"  + {one.identity.becomes}\n  because {entry.why}")
    for score in scores:
        for one in score.unknown:
            print(_as_toml(one))
    for identity in stale:
        print(f"survivors.toml names what is killed or doesn't exist any more; remove the entry: {identity}")
    print(
        f"{'module':<44} {'mutants':>7} {'killed':>6} {'slow':>4} {'survived':>8} {'equivalent':>10}"
        f" {'unknown':>7} {'score':>7} {'time':>8}"
    )
    for score in scores:
        print(_row(score, score.module))
    fates = tuple(fate for score in scores for fate in score.fates)
    listed = scores[0].listed if scores else {}
    print(_row(Score("", fates, listed, sum(score.seconds for score in scores)), "all"))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description="Are the tests able to fail? Mutation testing.")
    parser.add_argument("--module", default="", help="only modules whose dotted name contains this text")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N mutants of each module")
    parser.add_argument(
        "--jobs",
        type=int,
        default=2 * (os.cpu_count() or 1),
        help="trials at a time (default: two for each core, because some only wait)",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep each fate in this file, and don't try again what it has"
    )
    chosen = parser.parse_args(arguments)
    plan: dict[str, list[str]] = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))["tests"]
    listed = read_survivors(HERE / "survivors.toml")
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    journal = Journal(chosen.resume)
    scores, failed = [], []
    end_on_signals()
    try:
        for module, tests in plan.items():
            if chosen.module in module:
                try:
                    score = score_of(
                        module, tests, listed, folder, jobs=chosen.jobs, most=chosen.sample, journal=journal
                    )
                except RuntimeError as error:
                    failed.append(module)
                    print(f"{module}: {error}", flush=True)
                    continue
                scores.append(score)
                print(_row(score, score.module), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tried = {score.module for score in scores}
    alive = {one.identity for score in scores for one in score.survivors}
    gone = [one for one in listed if one.module not in plan]
    stale = [one for one in listed if one.module in tried and one not in alive] if not chosen.sample else []
    print()
    _told(scores, gone + stale)
    if failed:
        print(f"not tried, because something went wrong, see above: {', '.join(failed)}")
    fine = share(scores) >= WANTED and not (gone or stale or failed) and not any(score.unknown for score in scores)
    print(f"{share(scores):.1%} of the mutants that can be killed are killed; wanted: {WANTED:.0%}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
