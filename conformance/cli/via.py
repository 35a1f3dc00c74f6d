"""``via --gateway URL``: send requests through a gateway to a recording upstream, and compare both sides."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import asdict, evolve

from conformance._parts import late
from conformance.corpus.corpus import build_corpus
from conformance.emulator.behaviour import Deployment, Settings
from conformance.errors import UsageError
from conformance.gateway.cases import plain_and_streamed, selected
from conformance.gateway.script import faults
from conformance.gateway.session import Passed, pass_through, wait_for
from conformance.gateway.stories import stories, told
from conformance.gateway.upstream import Upstream, upstream
from conformance.gateway.windows import Windows
from conformance.passage.judge import judged
from conformance.requests.profile import Profile
from conformance.run.choice import configured
from conformance.run.recording import out_folder
from conformance.run.scenario_settings import settings_of
from conformance.run.selection import default_versions, scenarios_in
from conformance.settings.configuration import Config
from conformance.settings.form import EXPENSIVE_KINDS
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.target import Target

if TYPE_CHECKING:
    from reports import passages
else:
    passages = late("reports.passages")

NAME = "via"
HELP = "certify a gateway from both sides: what reaches the service, and what is lost on the way back"
ORDER = 45


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--gateway", required=True, metavar="URL", help="where clients reach the gateway")
    parser.add_argument("--upstream", default="", metavar="URL", help="a real upstream; then only one side is seen")
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
    parser.add_argument("--api-version", default="", metavar="V", help="the api-version to send")
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
        "--wait", type=float, default=60.0, metavar="S", help="seconds to wait for the gateway (default 60)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds to wait for one that refuses healthy requests",
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
    options = Options(target=args.gateway, config=args.config, specs=args.specs, out=args.out)
    config = configured(options)
    names = [args.api_version] if args.api_version else default_versions(args.specs)
    spec = load(names[0], args.specs)
    # Nothing costs anything at an upstream of our own.
    expensive = config.budget.expensive if args.upstream else frozenset(EXPENSIVE_KINDS)
    chosen = selected(build_corpus(spec, args.profile, args.seed), args.operation, expensive)
    if not chosen.cases:
        raise UsageError("no request is left to send", hint="see: list operations")
    probe = next((case for case in plain_and_streamed(chosen.cases) if case is not None), None)
    out = out_folder(options) / spec.version
    with ExitStack() as open_:
        above = None if args.upstream else open_.enter_context(_upstream(spec, config, args))
        through = evolve(config, target=evolve(config.target, retries=0, live=False if above else config.target.live))
        journal = open_.enter_context(_journal(through, spec)) if above is not None else None
        gateway = open_.enter_context(Target(through, spec, journal=journal))
        direct = open_.enter_context(Target(_direct(through, args.upstream, above), spec))
        if above is not None and probe is not None:
            for line in above.told(gateway.bindings(probe).get("deployment", "gpt-4o"), spec.version):
                print(line, file=sys.stderr)
        alive = probe is None or wait_for(gateway, probe, args.wait)
        if not alive:
            print(f"no valid request succeeded in {args.wait:g} s; the gateway is judged all the same", file=sys.stderr)
        windows = Windows(
            gateway,
            above.tape if above is not None else None,
            secret=_secret(config, above),
            upstream=above.authority if above is not None else "",
        )
        windows.skip()
        settings = settings_of(gateway, args.profile)
        lives = stories(scenarios_in(spec, _selection(options, args))) if above is not None else ()
        passed = pass_through(
            windows,
            direct,
            chosen.cases,
            patience=args.patience,
            script=faults(),
            stories=(told(one, spec, windows, settings) for one in lives),
            alive=alive,
            tell=_progress,
        )
    for why, count in chosen.left_out.items():
        passed.notes.append(f"{count} requests were not sent: {why}")
    result = judged(passed.passages, config.gateway, passed.also)
    about = {"gateway": args.gateway, "upstream": args.upstream, "profile": args.profile, "seed": args.seed}
    header = passages.header({"api_version": spec.version, **about}, config.gateway)
    passages.write(out, header, passed.passages, result, _extras(passed))
    if args.json:
        print(passages.as_json(result))
    else:
        for line in passages.console(header, result, _extras(passed)):
            print(line)
        print(f"report: {out / 'index.html'}")
    return result.exit_code


@contextmanager
def _journal(config: Config, spec: Spec) -> Iterator[Journal]:
    """A journal that is forgotten at the end: what it names ends with the upstream."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), target=config.target.url, api_version=spec.version, sync=False, embedded=True)
        with journal:
            yield journal


def _selection(options: Options, args: argparse.Namespace) -> Options:
    """The options by which scenarios are chosen."""
    return evolve(options, profile=args.profile, seed=args.seed, operations=tuple(args.operation))


def _extras(passed: Passed) -> passages.Extras:
    """What stands beside the rows: the table of faults, and notes."""
    notes = [*passed.notes, *(f"{count} requests were withheld: {why}" for why, count in passed.withheld.items())]
    return passages.Extras(tuple(asdict(row) for row in passed.faults), tuple(notes), tuple(passed.also))


def _upstream(spec: Spec, config: Config, args: argparse.Namespace) -> AbstractContextManager[Upstream]:
    """The recording upstream, with the deployments that the configuration names."""
    named = tuple(Deployment(name, name, frozenset(can)) for name, can in config.target.deployments.items())
    settings = Settings(deployments=named, varied=True, seed=str(args.seed))
    keys = (config.target.key,) if config.target.key else ()
    return upstream([spec], settings, host=args.upstream_host, port=args.upstream_port, file=args.record, keys=keys)


def _direct(config: Config, url: str, above: Upstream | None) -> Config:
    """The configuration for the leg without the gateway."""
    if above is not None:
        return evolve(
            config, target=evolve(config.target.at_emulator(above.url, above.key), headers={}, base_path=None)
        )
    return evolve(config, target=evolve(config.target, url=url, base_path=None))


def _secret(config: Config, above: Upstream | None) -> str:
    """The digest of the client's key, if it isn't that of the upstream."""
    key = config.target.key
    return above.tape.digest(key) if above is not None and key and key != above.key else ""


def _progress(done: int, of: int) -> None:
    """One line on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} requests", end="", file=sys.stderr, flush=True)
