"""``serve``: run the embedded emulator, correct or with one injected bug."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.cli._seconds import seconds
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.emulator.app import App
    from conformance.emulator.server import ASGI, Transform
    from conformance.evidence.exchange import Exchange

NAME = "serve"
HELP = "run the embedded emulator, correct or with one injected bug"
ORDER = 70

#: The environment variable with the key that the emulator asks for.
KEY_VARIABLE = "AOAI_EMULATOR_KEY"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--api-version",
        action="append",
        metavar="V",
        help="serve this api-version; repeatable (none: the default one of `list versions`)",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="loopback address (default 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=8585, metavar="N", help="port to listen on; 0 takes a free one (default 8585)"
    )
    parser.add_argument("--specs", type=Path, default=None, metavar="DIR", help="a folder with further api-versions")
    broken = parser.add_mutually_exclusive_group()
    broken.add_argument(
        "--break", dest="broken", metavar="CHECK-ID", help="change answers so that this check must fail"
    )
    broken.add_argument("--mutant", metavar="NAME", help="inject a bug into stored state (names: --list-mutants)")
    parser.add_argument(
        "--list-mutants", action="store_true", help="print the names of the mutants and the rule that each breaks"
    )
    parser.add_argument(
        "--dialect",
        action="append",
        default=[],
        metavar="NAME",
        help="answer in a shape that the service was recorded to send; repeatable (names: --list-dialects)",
    )
    parser.add_argument(
        "--list-dialects", action="store_true", help="print the names of the dialects and the shape of each"
    )
    parser.add_argument(
        "--record", type=Path, default=None, metavar="FILE", help="append each request and its answer as JSON lines"
    )
    parser.add_argument(
        "--clock", type=int, default=None, metavar="S", help="a time that stands still, in seconds since 1970"
    )
    parser.add_argument("--seed", default="", metavar="TEXT", help="seed of the ids: equal seeds give equal ids")
    parser.add_argument("--latency", type=seconds, default=0.0, metavar="S", help="seconds before each answer")
    stream = parser.add_argument_group("streams")
    stream.add_argument("--interval", type=seconds, default=0.0, metavar="S", help="seconds between chunks")
    stream.add_argument(
        "--asynchronous-filter", action="store_true", help="content filter results in chunks of their own"
    )
    stream.add_argument("--grouped-chunks", action="store_true", help="several events in one chunk")
    stream.add_argument(
        "--no-filter-chunk", action="store_true", help="leave out the first chunk with prompt filter results"
    )
    stream.add_argument("--drip", action="store_true", help="write one byte at a time")
    stream.add_argument("--split", action="store_true", help="split chunks inside UTF-8 code points")
    stream.add_argument("--crlf", action="store_true", help="end lines with CR LF")
    stream.add_argument("--comments", action="store_true", help="write comment lines between events")
    stream.add_argument("--heartbeats", action="store_true", help="write empty comment lines as heartbeats")
    stream.add_argument("--cut", type=int, default=None, metavar="N", help="close the connection after N events")
    stream.add_argument(
        "--stall", type=seconds, default=0.0, metavar="S", help="seconds of silence after the first event"
    )


def main(args: argparse.Namespace) -> int:
    """Serve until a signal ends the process."""
    if args.list_mutants:
        return _list_mutants()
    if args.list_dialects:
        return _list_dialects()
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port {args.port}: must be 0 to 65535")
    from conformance.emulator.app import App
    from conformance.emulator.behaviour import Settings, StreamFaults
    from conformance.emulator.server import asgi, serve
    from conformance.emulator.store import Clock
    from conformance.run.selection import default_versions
    from conformance.spec.loading import load

    names: Sequence[str] = tuple(dict.fromkeys(args.api_version or default_versions(args.specs)))
    faults = StreamFaults(
        cut=args.cut,
        stall=args.stall,
        drip=args.drip,
        split=args.split,
        crlf=args.crlf,
        comments=args.comments,
        heartbeats=args.heartbeats,
    )
    settings = Settings(
        key=os.environ.get(KEY_VARIABLE) or Settings().key,
        latency=args.latency,
        interval=args.interval,
        asynchronous_filter=args.asynchronous_filter,
        grouped_chunks=args.grouped_chunks,
        filter_first_chunk=not args.no_filter_chunk,
        faults=faults,
        seed=args.seed,
        # A value that a gateway remembers or makes up is seen then.
        varied=args.record is not None,
    )
    clock = Clock() if args.clock is None else Clock.fixed(args.clock)
    app = App([load(name, args.specs) for name in names], settings, clock)
    for name in args.dialect:
        app = _speaking(app, name)
    if args.mutant:
        app = _mutated(app, args.mutant)
    transform = _breaking(args.broken) if args.broken else None

    def ready(port: int) -> None:
        """Say on stdout that requests are accepted; scripts wait for the first line."""
        # Flushed, because a pipe would hold the line back and the script that waits for it would hang.
        print(f"ready http://{args.host}:{port}", flush=True)
        # A key of the user is not printed; the built-in one is no secret.
        key = f"${KEY_VARIABLE}" if os.environ.get(KEY_VARIABLE) else settings.key
        others = "" if args.api_version else " (--api-version V serves another)"
        print(f"serving {', '.join(names)}{others}; key: {key}; stop with Ctrl-C", flush=True)
        if args.record is not None:
            print(f"faults: POST http://{args.host}:{port}/_recorder/faults with the header api-key", flush=True)

    serving = asgi(app, transform)
    try:
        if args.record is None:
            serve(serving, host=args.host, port=args.port, ready=ready)
        else:
            _serve_recorded(serving, args, settings.key, ready)
    except KeyboardInterrupt:
        pass
    # uvicorn ends the process itself if it can't listen.
    except SystemExit as stopped:
        if stopped.code:
            raise UsageError(
                f"can't listen on {args.host}:{args.port}",
                hint="try another --port, 0 for a free one, or a --host of this machine",
            ) from None
    return 0


def _serve_recorded(app: ASGI, args: argparse.Namespace, key: str, ready: Callable[[int], None]) -> None:
    """Serve with a tape around the application, and the paths that steer it.

    Raises :class:`UsageError` if the file can't be written.
    """
    from conformance.emulator.control import controlled
    from conformance.emulator.recorder import KeptBytes, recorded
    from conformance.emulator.server import serve
    from conformance.emulator.tape import Tape

    try:
        tape = Tape(args.record, (key,))
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=f"--record {args.record}") from None
    try:
        serve(controlled(recorded(app, tape), tape, key), host=args.host, port=args.port, ready=ready, http=KeptBytes)
    finally:
        tape.close()


def _breaking(check_id: str) -> Transform:
    """A transformation of answers by the counterexample of a check."""
    from conformance.checks.catalogue import find_check

    counterexample = find_check(check_id).counterexample

    def transform(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        return counterexample(exchange, earlier) or exchange

    return transform


def _list_mutants() -> int:
    """Print each mutant with the rule that it breaks."""
    from conformance.emulator.mutants import mutants

    for name, mutant in sorted(mutants().items()):
        print(f"{name}  {mutant.rule}")
    return 0


def _list_dialects() -> int:
    """Print each dialect with its shape."""
    from conformance.emulator.dialects import dialects

    for name, dialect in dialects().items():
        print(f"{name}  {dialect.shape}")
    return 0


def _speaking(app: App, name: str) -> App:
    """The application, answering in one dialect."""
    from conformance.emulator.dialects import dialect_named

    return dialect_named(name).apply(app)


def _mutated(app: App, name: str) -> App:
    """The application with one mutant applied."""
    from conformance.emulator.mutants import mutant_named

    return mutant_named(name).apply(app)
