"""``plan``: print the requests of a run and upper limits of their cost. Sends nothing."""

from __future__ import annotations

import argparse
import json
from typing import Any

from attrs import asdict

from conformance.requests.profile import Profile
from conformance.run.plan import plan
from conformance.run.selection import checks_of, default_versions, items_of, scenarios_in
from conformance.settings.applied import configured
from conformance.settings.options import Options, add_to, from_mapping
from conformance.spec.choices import choice_of, kills_of
from conformance.spec.loading import load
from conformance.spec.spec import Spec

NAME = "plan"
HELP = "print the requests of a run and upper limits of their cost; sends nothing"
ORDER = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of ``run``, so that a command line can be tried with ``plan`` first."""
    add_to(parser)
    parser.add_argument(
        "-n", dest="workers", type=int, default=0, metavar="WORKERS", help="accepted as in run, without effect"
    )
    parser.add_argument("--alluredir", metavar="DIR", default=None, help="accepted as in run, without effect")
    parser.add_argument("--json", action="store_true", help="print a JSON array with one object for each api-version")


def main(args: argparse.Namespace) -> int:
    """Print one line for each resource and family of cases."""
    options = from_mapping(vars(args))
    config = configured(options)
    # Nothing is sent, so it is unknown what would answer. A target on this machine is counted as an emulator:
    # that gives the larger numbers, because no expensive kind is left out.
    unknown = config.target.live is None
    live = bool(config.target.live) if not unknown else bool(config.target.url) and not config.target.loopback
    made = []
    for version in options.api_versions or default_versions(options.specs):
        spec = load(version, options.specs)
        scenarios = scenarios_in(spec, options)
        # To an emulator every kind is sent, so all of them are counted.
        able = frozenset().union(*config.target.deployments.values()) if config.target.deployments else ()
        bill = plan(spec, scenarios, capabilities=able, allowed=config.budget.expensive if live else None)
        items = items_of(spec, scenarios, checks_of(options))
        made.append(
            {
                "version": version,
                "scenarios": len(scenarios),
                "items": len(items),
                "lines": [asdict(line) for line in bill.lines],
                "total": asdict(bill.total),
                "left_out": dict(bill.expensive) if live else {},
                "pages": bill.pages,
                "repeat": config.run.repeat,
                "at_most": asdict(bill.total.times(config.run.repeat)),
                "kills": _kills(spec, options),
            }
        )
        if not args.json:
            _print(made[-1])
    if config.target.url and unknown and not live and not args.json:
        print("counted as for an emulator; [target] live = true counts as for a live resource")
    if args.json:
        print(json.dumps(made, indent=1))
    return 0


def _kills(spec: Spec, options: Options) -> dict[str, Any] | None:
    """How many known defects the profile shows, and whose data chose its requests; None for a part of a profile."""
    if options.selection:
        return None
    choice = choice_of(spec, options.profile)
    chosen_for = choice.version if choice is not None else ""
    kills = kills_of(spec, options.profile)
    if kills is not None:
        return {"shown": kills.shown, "known": kills.known, "at_least": False, "chosen_for": chosen_for}
    # What is more than standard was not tried. It shows at least the same.
    least = kills_of(spec, Profile.STANDARD) if options.profile in Profile.WHOLE else None
    if least is not None:
        return {"shown": least.shown, "known": least.known, "at_least": True, "chosen_for": ""}
    return {"shown": None, "known": None, "at_least": False, "chosen_for": chosen_for}


def _kills_in_words(kills: dict[str, Any], version: str) -> str:
    """The same as a line: ``kills 120 of 130 known defects of this version``."""
    if kills["shown"] is not None:
        least = "at least " if kills["at_least"] else ""
        return f"kills {least}{kills['shown']} of {kills['known']} known defects of this version"
    if kills["chosen_for"] and kills["chosen_for"] != version:
        return f"the requests are those that were chosen for {kills['chosen_for']}; what they kill here is not known"
    return "which known defects of this version it kills is not known"


def _print(row: dict[str, Any]) -> None:
    """Print the table of one api-version."""
    print(f"{row['version']}: {row['scenarios']} scenarios, {row['items']} items (scenario and check)")
    head = f"{'resource':<22}{'family':<12}{'requests':>9}{'tokens':>11}{'images':>8}{'seconds':>9}"
    print(head)
    for line in (*row["lines"], row["total"]):
        print(
            f"{line['resource']:<22}{line['family']:<12}{line['requests']:>9}{line['tokens']:>11}"
            f"{line['images']:>8}{line['seconds']:>9.0f}"
        )
    for name, count in row["left_out"].items():
        print(f"left out: {count} requests of the kind {name!r}; allow them with --expensive {name}")
    if row["kills"] is not None:
        print(_kills_in_words(row["kills"], row["version"]))
    if row["repeat"] > 1:
        most = row["at_most"]
        print(
            f"what fails is judged {row['repeat']} times in all: at most {most['requests']} requests, "
            f"{most['tokens']} tokens, {most['images']} images, {most['seconds']:.0f} seconds"
        )
    if row["pages"]:
        print(f"lists that hold many objects of others: at most {row['pages']} requests more")
    print(
        "upper bounds, with the preflight and the removal of what is created; not counted are retries, polling of slow"
    )
    print(
        "objects, the removal of what a target creates although it should refuse it or makes for an object (a batch's"
    )
    print("files), and what a smoke run creates once more because it was refused before or belongs to another process")
