"""``via --gateway URL``: send requests through a gateway to a recording upstream, and compare both sides."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from conformance.cli._seconds import seconds
from conformance.errors import UsageError
from conformance.requests.profile import Profile

NAME = "via"
HELP = "certify a gateway from both sides: what reaches the service, and what is lost on the way back"
ORDER = 45

#: The most requests that are under way at once.
MOST_AT_ONCE = 64


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--gateway", required=True, metavar="URL", help="where clients reach the gateway")
    parser.add_argument("--upstream", default="", metavar="URL", help="a real upstream; then only one side is seen")
    parser.add_argument(
        "--upstream-key-env",
        default="AOAI_UPSTREAM_KEY",
        metavar="NAME",
        help="environment variable with the key of a real upstream (default AOAI_UPSTREAM_KEY)",
    )
    parser.add_argument(
        "--upstream-port",
        type=int,
        default=8686,
        metavar="N",
        help="port of the recording upstream; 0 takes a free one (default 8686)",
    )
    parser.add_argument(
        "--upstream-host", default="127.0.0.1", metavar="ADDRESS", help="its address (default 127.0.0.1)"
    )
    parser.add_argument(
        "--api-version",
        default="",
        metavar="V",
        help="the api-version to send (none: the default one of `list versions`)",
    )
    parser.add_argument(
        "--operation", action="append", default=[], metavar="GLOB", help="only these operations; repeatable"
    )
    parser.add_argument("--profile", default=Profile.STANDARD, choices=Profile.ALL, help="how much to send")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of everything that is chosen at random")
    parser.add_argument(
        "--config", type=Path, default=None, metavar="FILE", help="configuration file; [target] is the gateway"
    )
    parser.add_argument("--specs", type=Path, default=None, metavar="DIR", help="a folder with further api-versions")
    parser.add_argument(
        "--wait", type=seconds, default=60.0, metavar="S", help="seconds to wait for the gateway (default 60)"
    )
    parser.add_argument(
        "--patience",
        type=seconds,
        default=30.0,
        metavar="S",
        help="seconds to wait for one that refuses healthy requests",
    )
    parser.add_argument(
        "--parallel",
        type=int,
        default=1,
        metavar="N",
        help="requests under way at once, told apart by a text in them (default 1; the recording upstream only)",
    )
    parser.add_argument(
        "--record", type=Path, default=None, metavar="FILE", help="write what reached the upstream here"
    )
    parser.add_argument("-o", "--out", type=Path, default=None, metavar="DIR", help="folder of the report")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")


def main(args: argparse.Namespace) -> int:
    """Print what the gateway alters. 0: transparent; 1: a MUST is broken; 3: nothing could be compared.

    Raises :class:`~conformance.errors.Unreachable` if nobody answers at the gateway's URL.
    """
    if not 0 <= args.upstream_port <= 65535:
        raise UsageError(f"--upstream-port {args.upstream_port}: must be 0 to 65535")
    if not 1 <= args.parallel <= MOST_AT_ONCE:
        raise UsageError(f"--parallel {args.parallel}: must be 1 to {MOST_AT_ONCE}")
    # Late: what serves and sends takes long to import, and the help needs none of it.
    from attrs import asdict

    from conformance._parts import part
    from conformance.gateway.certification import Plan, certified
    from conformance.passage.judge import judged
    from conformance.run.recording import out_folder
    from conformance.run.selection import default_versions
    from conformance.settings.applied import configured
    from conformance.settings.options import Options
    from conformance.spec.loading import load

    options = Options(
        target=args.gateway,
        config=args.config,
        specs=args.specs,
        out=args.out,
        profile=args.profile,
        seed=args.seed,
        operations=tuple(args.operation),
    )
    config = configured(options)
    spec = load(args.api_version or default_versions(args.specs)[0], args.specs)
    out = out_folder(options) / spec.version
    plan = Plan(
        spec,
        config,
        options,
        url=args.upstream,
        key_env=args.upstream_key_env,
        host=args.upstream_host,
        port=args.upstream_port,
        record=args.record,
        wait=args.wait,
        patience=args.patience,
        parallel=args.parallel,
    )
    passed = certified(plan, os.environ, _say, _progress)
    passages = part("reports.passages")
    result = judged(passed.record, spec, config.gateway)
    about = {"gateway": args.gateway, "upstream": args.upstream, "profile": args.profile, "seed": args.seed}
    header = passages.header({"api_version": spec.version, **about}, config.gateway)
    extras = passages.Extras(tuple(map(asdict, passed.faults)), tuple(passed.notes))
    passages.write(out, header, passed.record, result, extras)
    if args.json:
        print(passages.as_json(result))
    else:
        for line in passages.console(header, result, extras):
            print(line)
        print(f"report: {out / 'index.html'}")
    return int(result.exit_code)


def _say(line: str) -> None:
    """A line for people; the report is on standard output."""
    print(line, file=sys.stderr)


def _progress(done: int, of: int) -> None:
    """One line on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} requests", end="", file=sys.stderr, flush=True)
