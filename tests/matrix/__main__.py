"""``python tests/matrix [--only TEXT …] [--version V …] [--write FILE]``: what becomes of each mutant, in the newest
api-version that shows it, and of each defect and variation, in every api-version. In an imported version, which has
operations that no other one has, every mutant is tried.

The percentages count mutants and defects in the versions that can have them. Those whose rule is at most a SHOULD
stand in ``softer_rules.py``, each with its reason; they are counted apart. Exit code 1 if less than 98 % of the others
fail, if less than 98 % of the softer ones have their listed outcome, if one of either is called conformant, or if a
variation is not.

``--requests VERSION …`` computes which requests the small profiles send (``choosing.py``).

``--write FILE`` also keeps the outcomes as JSON lines beside the page, in a file of the same name. With ``--only`` or
``--version`` the page takes all other outcomes from there, and names what ``--only`` tried again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from multiprocessing import Pool
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0]), str(HERE.parents[1])]

from benign_variations import PROFILES  # noqa: E402 - the path comes first
from cells import Cell, merged, read, write, wrong  # noqa: E402 - as above
from choosing import SHARES, choose  # noqa: E402 - as above
from defects import defects  # noqa: E402 - as above
from imported import IMPORTED, spec_of  # noqa: E402 - as above
from kills import changed_by, mutated  # noqa: E402 - as above
from profile_text import text_of  # noqa: E402 - as above
from table import groups, page, share  # noqa: E402 - as above
from variations import VARIATIONS  # noqa: E402 - as above

from conformance.emulator.mutants import mutants  # noqa: E402 - as above
from conformance.requests.profile import Profile  # noqa: E402 - as above
from conformance.spec.loading import load, versions  # noqa: E402 - as above

#: The least share of bad targets that have the outcome that their rule deserves.
WANTED = 0.98


def _cells(job: tuple[str, str, tuple[str, ...]]) -> list[Cell]:
    """What becomes of one variant in some versions."""
    kind, name, wanted = job
    if kind != "mutant":
        return [_cell(kind, name, version) for version in wanted]
    ours = [_mutant(name)] if set(wanted) >= set(versions()) else []
    return [cell for cell in (*ours, *(_imported(name, one) for one in wanted if one in IMPORTED)) if cell is not None]


def _cell(kind: str, name: str, version: str) -> Cell:
    if kind == "defect":
        result = changed_by(version, defects()[name][1], first=True)
    else:
        result = changed_by(version, VARIATIONS[name][1], profile=PROFILES.get(name, "smoke"))
    return Cell(kind, name, version, result.word if result.changed else "", next(iter(result.checks), ""))


def _mutant(name: str) -> Cell | None:
    """The newest version in which a bug of stored state has the outcome that its rule deserves.

    Where there is none, it is one in which the bug is noticed. None if it concerns none of our versions.
    """
    best = None
    # Drafts come last: they count for what no other version has.
    for version in dict.fromkeys((*reversed(versions()), *versions(drafts=True))):
        if mutants()[name].touches(load(version)):
            result = mutated(version, mutants()[name])
            cell = Cell("mutant", name, version, result.word, next(iter(result.checks), ""))
            if not wrong(cell):
                return cell
            best = cell if best is None or best.outcome == "pass" else best
    return best


def _imported(name: str, version: str) -> Cell | None:
    """What becomes of a bug of stored state in an imported version; None where it changes no answer there."""
    if not mutants()[name].touches(spec_of(version)):
        return None
    result = mutated(version, mutants()[name])
    return Cell("mutant", name, version, result.word, next(iter(result.checks), "")) if result.changed else None


def _known() -> Iterator[tuple[str, str]]:
    """Yield kind and name of all variants."""
    named: Mapping[str, Mapping[str, object]] = {"mutant": mutants(), "defect": defects(), "variation": VARIATIONS}
    for kind, known in named.items():
        yield from ((kind, name) for name in known)


def _requests(wanted: list[str], jobs: int, kept: Path | None) -> int:
    """Write what the small profiles of some versions send. Exit code 1 if one of them doesn't reach its aim."""
    missed = False
    for version in wanted:
        found, curves = choose(version, jobs, kept)
        file = HERE.parents[1] / "specs" / version / "profiles.toml"
        file.write_text(text_of(version, found), encoding="utf-8")
        shown = found[Profile.STANDARD].table["shown"]
        for profile, result in found.items():
            table = result.table
            share = table["shown"] / max(shown, 1)
            print(
                f"{version}, {profile}: shows {table['shown']} of {shown} ({share:.1%}) with {table['requests_sent']} "
                f"requests and {table['tokens']} tokens"
            )
            if result.lost:
                print(f"  not shown: {', '.join(result.lost)}")
            missed |= share < SHARES.get(profile, 0.0)
        for what, curve in curves.items():
            told = ", ".join(f"{part} % with {most} requests" for part, most in curve.items())
            print(f"  by the arithmetic, {what}: {told}")
    return int(missed)


def main() -> int:
    everywhere = (*versions(), *IMPORTED)
    parser = argparse.ArgumentParser(prog="matrix", description="Which bad targets fail, and which good ones pass?")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to this file too")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="only variants whose name contains this text; repeatable"
    )
    parser.add_argument(
        "--version", action="append", metavar="V", choices=everywhere, help="only in this api-version; repeatable"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument(
        "--requests",
        nargs="+",
        metavar="VERSION",
        help="instead: compute what the small profiles of these api-versions send, and write their profiles.toml",
    )
    parser.add_argument(
        "--kept",
        type=Path,
        metavar="DIR",
        help="with --requests: keep there what shows what, to go on later",
    )
    chosen = parser.parse_args()
    if chosen.requests:
        return _requests(chosen.requests, chosen.jobs, chosen.kept)
    known = list(_known())
    wanted = tuple(chosen.version or everywhere)
    jobs = [(*job, wanted) for job in known if chosen.only is None or any(text in job[1] for text in chosen.only)]
    partly = chosen.only is not None or chosen.version is not None
    kept = read(chosen.write.with_suffix(".jsonl")) if chosen.write is not None and partly else []
    # Imported once, before there are processes that would each do it again.
    for version in IMPORTED:
        spec_of(version)
    found: list[Cell] = []
    with Pool(chosen.jobs) as pool:
        for cells in pool.imap(_cells, jobs):
            found += (cell._replace(redone=bool(kept) and chosen.only is not None) for cell in cells)
            # What is found is kept at once: a run that is stopped can be completed with --only.
            if chosen.write is not None:
                write(chosen.write.with_suffix(".jsonl"), merged(kept, found, known, wanted))
    everything = merged(kept, found, known, wanted)
    print(page(everything))
    if chosen.write is not None:
        chosen.write.write_text(page(everything), encoding="utf-8")
    bad = [cell for cell in everything if cell.kind != "variation"]
    enough = all(share(mine) >= WANTED for name, mine in groups(everything) if name != "variation")
    called_good = any(cell.outcome == "pass" for cell in bad)
    called_bad = any(wrong(cell) for cell in everything if cell.kind == "variation")
    return int(called_good or called_bad or not enough)


if __name__ == "__main__":
    raise SystemExit(main())
