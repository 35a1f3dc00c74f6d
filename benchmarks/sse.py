"""How fast the event-stream parser is, and whether its memory stays flat.

* large events: one data line of a megabyte each, in MB/s;
* small events: a chunk of some forty bytes each, in events/s;
* one byte at a time, in bytes/s: what a dripping target costs;
* memory: the most that Python allocated while the same small events went through, for one and for ten times as many.

    python -m benchmarks.sse [--megabytes 256] [--rounds 3]

One core. Prints the best round of each and fails (exit 1) below the aims: 50 MB/s, 100,000 events/s, and memory that
doesn't grow.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable

from conformance.evidence.event_stream import Parser

BLOCK = 65_536
LARGE = b"data: " + b"x" * 1_000_000 + b"\n\n"
SMALL = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'

#: What is aimed at: bytes per second of large events, small events per second.
AIM_BYTES, AIM_EVENTS = 50e6, 100e3


def feed(data: bytes, times: int, block: int = BLOCK) -> int:
    """Parse ``data`` so many times in blocks; gives the number of items."""
    parser, items = Parser(), 0
    pieces = [data[start : start + block] for start in range(0, len(data), block)]
    for _ in range(times):
        for piece in pieces:
            items += len(parser.feed(piece, 0.0))
    return items + len(parser.close())


def best(rounds: int, run: Callable[[], int]) -> tuple[float, int]:
    """Seconds of the best round, and what it counted."""
    seconds, counted = float("inf"), 0
    for _ in range(rounds):
        began = time.perf_counter()
        counted = run()
        seconds = min(seconds, time.perf_counter() - began)
    return seconds, counted


def peak(times: int) -> int:
    """The most bytes that were allocated while small events went through."""
    block = SMALL * 1000
    tracemalloc.start()
    feed(block, times)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--megabytes", type=int, default=256)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()

    seconds, events = best(given.rounds, lambda: feed(LARGE, given.megabytes))
    per_second = events * len(LARGE) / seconds
    print(f"large events   {per_second / 1e6:10.0f} MB/s      ({events} events of 1 MB)")

    seconds, events = best(given.rounds, lambda: feed(SMALL * 1000, 200))
    small = events / seconds
    print(f"small events   {small:10.0f} events/s  ({events} events of {len(SMALL)} bytes)")

    seconds, _ = best(given.rounds, lambda: feed(SMALL * 2000, 1, block=1))
    print(f"byte by byte   {len(SMALL) * 2000 / seconds:10.0f} bytes/s")

    one, ten = peak(20), peak(200)
    print(f"memory         {one / 1024:10.0f} KiB       after 20,000 events, {ten / 1024:.0f} KiB after 200,000")
    good = per_second >= AIM_BYTES and small >= AIM_EVENTS and ten < one * 1.5
    print("aims met" if good else "aims NOT met")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
