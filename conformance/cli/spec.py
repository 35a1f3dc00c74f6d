"""``spec lint | check | show | diff | import | numbers``: work with the api-versions, which are data."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from conformance.cli._seconds import seconds
from conformance.errors import UsageError
from conformance.requests.profile import Profile

NAME = "spec"
HELP = "check, show, compare or import the data of api-versions"
ORDER = 90


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    does = parser.add_subparsers(dest="does", required=True, metavar="ACTION")
    lint = does.add_parser("lint", help="check the folders of versions for mistakes", allow_abbrev=False)
    lint.add_argument(
        "versions",
        metavar="V",
        nargs="*",
        help="api-versions, whose requests are derived at every profile too; without one all, without that",
    )
    gate = does.add_parser(
        "check",
        help="check that versions may be used: no mistakes, requests can be derived, the emulator is conformant",
        allow_abbrev=False,
    )
    gate.add_argument("versions", metavar="V", nargs="+", help="api-versions")
    gate.add_argument("--profile", choices=Profile.ALL, default=Profile.STANDARD, help="default: %(default)s")
    gate.add_argument(
        "--timeout",
        type=seconds,
        default=3600.0,
        metavar="SECONDS",
        help="how long the run of one version may take (default: %(default)g)",
    )
    show = does.add_parser("show", help="print the OpenAPI document of one version", allow_abbrev=False)
    show.add_argument("version", metavar="V", help="an api-version")
    view = show.add_mutually_exclusive_group()
    view.add_argument(
        "--faithful", action="store_true", help="as the sources say, without errata (our corrections of their mistakes)"
    )
    view.add_argument("--corrected", action="store_true", help="with the errata (our corrections) applied; the default")
    show.add_argument("--json", action="store_true", help="JSON instead of YAML")
    diff = does.add_parser("diff", help="print the changes between two versions", allow_abbrev=False)
    diff.add_argument("old", metavar="A", help="the older api-version")
    diff.add_argument("new", metavar="B", help="the newer api-version")
    diff.add_argument("--faithful", action="store_true", help="compare what the sources say, without errata")
    form = diff.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON instead of text")
    form.add_argument("--markdown", action="store_true", help="Markdown instead of text")
    take = does.add_parser("import", help="turn a published document into a version", allow_abbrev=False)
    take.add_argument("file", metavar="FILE", type=Path, help="Swagger 2.0 or OpenAPI 3.0, 3.1, 3.2; JSON or YAML")
    take.add_argument("--as", dest="label", metavar="V", required=True, help="the label of the api-version")
    take.add_argument("--force", action="store_true", help="replace a version that is in the folder already")
    numbers = does.add_parser(
        "numbers", help="print counts of examples, errata, clauses and fields for each version", allow_abbrev=False
    )
    numbers.add_argument("--write", action="store_true", help="write specs/README.md")
    numbers.add_argument(
        "--shared", metavar="DIR", type=Path, help="count the examples again, from the source material in this folder"
    )
    for sub in (lint, gate, show, diff, take):
        sub.add_argument("--specs", metavar="DIR", type=Path, default=None, help="a folder with further api-versions")


def main(args: argparse.Namespace) -> int:
    """Run one action and return the exit code."""
    actions = {"lint": _lint, "check": _check, "show": _show, "diff": _diff, "import": _import, "numbers": _numbers}
    return actions[args.does](args)


def _lint(args: argparse.Namespace) -> int:
    """Print the mistakes. The exit code is 2 if there are any, else 0."""
    from conformance.spec.loading import load, versions
    from conformance.spectools.derivation_rules import unhandled
    from conformance.spectools.lint import lint

    problems = lint(tuple(args.versions), args.specs, profiles=Profile.ALL if args.versions else ())
    for problem in problems:
        print(problem)
    for version in () if problems else args.versions:
        if names := unhandled(load(version, args.specs)):
            print(f"note: {version}: the emulator answers by the document alone: {', '.join(names)}")
    looked = len(args.versions) or len(versions(args.specs, drafts=True))
    print(f"{looked} versions, {len(problems)} problems" if problems else f"{looked} versions, no problems")
    return 2 if problems else 0


def _check(args: argparse.Namespace) -> int:
    """Print why versions may not be used. The exit code is 1 if there is a reason, else 0."""
    from conformance.spectools.gate import gate

    if not args.timeout > 0:
        raise UsageError(f"--timeout {args.timeout:g}: must be more than 0")
    told = False
    for version in args.versions:
        for line in gate(version, args.specs, profile=args.profile, seconds=args.timeout):
            told = True
            print(line, flush=True)
    return 1 if told else 0


def _show(args: argparse.Namespace) -> int:
    """Print one document."""
    from conformance.spec.loading import load
    from conformance.spectools.document_text import as_json, as_yaml

    spec = load(args.version, args.specs)
    document = spec.faithful if args.faithful else spec.document
    print(as_json(document) if args.json else as_yaml(document), end="")
    return 0


def _diff(args: argparse.Namespace) -> int:
    """Print the changes between two versions."""
    from conformance.spec.loading import load
    from conformance.spectools import diff
    from conformance.spectools import diff_text as difftext

    changes = diff.compare(load(args.old, args.specs), load(args.new, args.specs), faithful=args.faithful)
    if args.json:
        print(json.dumps(difftext.as_json(changes), indent=1, ensure_ascii=False))
    else:
        print((difftext.markdown if args.markdown else difftext.text)(changes, args.old, args.new), end="")
    return 0


def _import(args: argparse.Namespace) -> int:
    """Import a document and print what could not be mapped."""
    from conformance.spectools.importing import import_file

    if args.specs is None:
        raise UsageError("spec import writes into a folder of yours", hint="name it with --specs DIR")
    done = import_file(args.file, args.label, args.specs, force=args.force)
    print(f"{done.folder}: {done.operations} operations, {done.clauses} clauses carried over")
    if done.nearest:
        fates = Counter(fate for _, fate in done.errata)
        told = ", ".join(f"{number} {fate}" for fate, number in fates.most_common())
        print(f"nearest known version: {done.nearest}; its {len(done.errata)} errata: {told}")
    for name, fate in done.errata:
        print(f"erratum {name}: {fate}")
    for note in done.notes:
        print(f"not mapped: {note}")
    return 0


def _numbers(args: argparse.Namespace) -> int:
    """Print the page of numbers, which is ``specs/README.md``."""
    from conformance.spec.shipped import specs_dir
    from conformance.spectools.examples import write
    from conformance.spectools.version_numbers import page

    if args.shared is not None:
        write(args.shared)
    text = page()
    if args.write:
        (specs_dir() / "README.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0
