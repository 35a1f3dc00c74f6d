"""``compare DIR DIR …``: compare runs with the first one, for example of two targets, api-versions or dates."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, TypeAlias

from conformance._parts import late
from conformance.errors import UsageError
from conformance.gateway import verifying

if TYPE_CHECKING:
    from reports import comparison, headline, jsonl, passages
    from reports.comparison import Comparison
    from reports.jsonl import Report
else:
    comparison = late("reports.comparison")
    headline = late("reports.headline")
    jsonl = late("reports.jsonl")
    passages = late("reports.passages")

NAME = "compare"
HELP = "compare runs of several targets, api-versions or dates"
ORDER = 65

#: Scenarios named in a line; ``--json`` has all of them.
MOST = 3

#: One run: its letter in the output, its folder and its report.
Run: TypeAlias = "tuple[str, Path, Report]"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "dirs", metavar="DIR", nargs="+", type=Path, help="run folders, or the folders of api-versions in them"
    )
    parser.add_argument("--specs", metavar="DIR", type=Path, default=None, help="a folder with further api-versions")
    parser.add_argument("--json", action="store_true", help="print a JSON array with one object for each comparison")


def main(args: argparse.Namespace) -> int:
    """Print the differences. The exit code is 1 if a result is worse or no longer judged in the same api-version, else
    0.
    """
    if all(verifying.folders(folder) for folder in args.dirs):
        return _gateways(args.dirs)
    alarming = False
    shown = []
    for folders in _paired([_versions_in(folder) for folder in args.dirs]):
        # Letters stand for the runs, because folders are too long for each line.
        runs = [(ascii_uppercase[number], folder, jsonl.read(folder)) for number, folder in enumerate(folders)]
        found = comparison.compare([report for _, _, report in runs], args.specs)
        alarming |= found.alarming
        if args.json:
            shown.append(_plain(runs, found))
        else:
            print("\n".join(_lines(runs, found)))
    if args.json:
        print(json.dumps(shown, indent=1, ensure_ascii=False))
    return 1 if alarming else 0


def _gateways(dirs: Sequence[Path]) -> int:
    """Compare reports on gateways with the first one. 1 if a difference is new."""
    reports = [passages.read(folder) for one in dirs for folder in verifying.folders(one)]
    first, *others = (passages.rows_of(verifying.judged_again(report)) for report in reports)
    new = False
    for report, rows in zip(reports[1:], others, strict=True):
        lines = list(verifying.rows_that_differ(first, rows))
        print(f"{report.header['gateway']} {report.header['started']}: {len(lines)} rows differ")
        for line in lines:
            print(f"  {line}")
            new = new or line.startswith("new: ")
    return 1 if new else 0


def _versions_in(folder: Path) -> dict[str, Path]:
    """The folders of api-versions in a run folder, by name. A folder that is itself one of a version is returned under
    "".
    """
    found = jsonl.reports_in(folder)
    return {path.name: path for path in found} if found not in ([], [folder]) else {"": folder}


def _paired(given: Sequence[dict[str, Path]]) -> Iterator[list[Path]]:
    """Yield the folders that are compared with each other.

    If all runs hold the same several versions, they are compared version by version, else all reports at once. Raises
    :class:`UsageError` if the runs hold different versions.
    """
    names = given[0].keys()
    if len(given) > 1 and len(names) > 1 and all(one.keys() == names for one in given):
        for name in names:
            yield _counted([one[name] for one in given])
        return
    if len(given) > 1 and any(len(one) > 1 for one in given):
        several = next(one for one in given if len(one) > 1)
        raise UsageError(
            f"one run holds {', '.join(several)}, another does not hold the same",
            hint="name the folder of one api-version in each run",
        )
    yield _counted([folder for one in given for folder in one.values()])


def _counted(folders: list[Path]) -> list[Path]:
    """The folders, if a comparison of so many is possible. Raises :class:`UsageError` otherwise."""
    if not 2 <= len(folders) <= len(ascii_uppercase):
        raise UsageError(f"number of reports to compare: {len(folders)}", hint=f"give 2 to {len(ascii_uppercase)}")
    return folders


def _lines(runs: Sequence[Run], found: Comparison) -> Iterator[str]:
    """The comparison as text: the runs, the differences by kind, the counts."""
    for letter, folder, report in runs:
        header = report.header
        told = (
            header["api_version"],
            "the embedded emulator" if header["target"].get("embedded") else header["target"]["url"],
            header.get("started", ""),
            headline.headline(report).text,
        )
        yield f"{letter}  {'  '.join(filter(None, told))}  ({folder})"
    for name, values in found.settings:
        cells = "  ".join(f"{letter} {value}" for (letter, _, _), value in zip(runs, values, strict=True))
        yield f"the runs differ in their {name}: {cells}"
    versions = list(dict.fromkeys(str(report.header["api_version"]) for _, _, report in runs))
    if len(versions) > 1:
        yield f"what changes between the versions themselves: aoai-conformance upgrade {versions[0]} {versions[1]}"
    # The heading is printed when the kind changes; differences are sorted by kind.
    last = None
    for difference, scenarios in found.grouped():
        if difference.kind is not last:
            yield f"\n{difference.kind.value}"
            last = difference.kind
        cells = "  ".join(f"{letter} {cell}" for (letter, _, _), cell in zip(runs, difference.cells, strict=True))
        more = f" and {len(scenarios) - MOST} more" if len(scenarios) > MOST else ""
        yield f"  {difference.check}  {cells}  in {', '.join(scenarios[:MOST])}{more}"
    if found.drift:
        yield "\nnew drift (values that the document doesn't list)"
        yield from (f"  {value}  at {place} of {operation}" for operation, place, value in found.drift)
    sent = ", ".join(f"{letter} {many}" for (letter, _, _), many in zip(runs, found.requests, strict=True))
    counts = ", ".join(f"{many} {kind.value}" for kind in comparison.Kind if (many := found.count(kind)))
    yield ""
    yield f"{counts or 'no difference'}; {found.same} items are the same"
    yield f"requests: {sent}; {found.shared_requests} are in all"


def _plain(runs: Sequence[Run], found: Comparison) -> dict[str, Any]:
    """The comparison as a JSON object."""
    return {
        "runs": [
            {"name": letter, "folder": str(folder), "header": dict(report.header), "footer": report.footer}
            for letter, folder, report in runs
        ],
        "differences": [
            {
                "kind": difference.kind.value,
                "check": difference.check,
                "scenario": difference.scenario,
                "outcomes": list(difference.cells),
            }
            for difference in found.differences
        ],
        "settings": [{"name": name, "values": list(values)} for name, values in found.settings],
        "same": found.same,
        "requests": list(found.requests),
        "shared_requests": found.shared_requests,
        "drift": [dict(zip(("operation", "path", "value"), one, strict=True)) for one in found.drift],
    }
