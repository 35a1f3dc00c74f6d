"""A run against a slow target: seconds of the whole command beside what the latency alone would take.

    python -m benchmarks.latency [--api-version V] [--profile smoke] [--latency 1] [--concurrency 16] [--timeline F]

The emulator is a process of its own and waits before each answer. It counts all requests that arrive, those of
preflight and removal too, and how many it works on at the same time. The bound is 1.15 times what the requests would
take if all places were always taken, and 3 seconds. ``--timeline`` writes a line for each request: when it came and
when it was answered, in seconds after the first one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.beside import KEY, beside, environment

TIMELINE = "/-/timeline"


def serve(version: str, latency: float) -> None:
    """The emulator with a timeline of its requests; prints its address when it listens."""
    from conformance.emulator.app import App
    from conformance.emulator.behaviour import Settings
    from conformance.emulator.server import asgi
    from conformance.emulator.server import serve as listen

    inner = asgi(App.of(version, settings=Settings(key=KEY, latency=latency)))
    seen: list[dict[str, Any]] = []

    async def front(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == TIMELINE:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps(seen).encode()})
            return
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        one = {"at": time.monotonic(), "over": None, "method": scope["method"], "path": scope["path"]}
        seen.append(one)
        try:
            await inner(scope, receive, send)
        finally:
            one["over"] = time.monotonic()

    listen(front, ready=lambda port: print(f"ready http://127.0.0.1:{port}", flush=True))


def most_at_once(seen: list[dict[str, Any]]) -> int:
    """The greatest number of requests that were answered at the same time."""
    # At one moment, an end comes before a beginning.
    moments = sorted([(one["at"], 1) for one in seen] + [(one["over"], -1) for one in seen if one["over"] is not None])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def main() -> int:
    """Measure, and print a table of one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api-version", default="2024-05-01-preview")
    parser.add_argument("--profile", default="smoke")
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--timeline", type=Path)
    parser.add_argument("--serve", metavar="VERSION", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.latency)
        return 0
    with (
        tempfile.TemporaryDirectory() as folder,
        beside("benchmarks.latency", args.api_version, "--latency", str(args.latency)) as url,
    ):
        words = [sys.executable, "-m", "conformance", "run", "--target", url, "--api-version", args.api_version]
        words += ["--profile", args.profile, "--concurrency", str(args.concurrency), "--out", folder]
        began = time.monotonic()
        done = subprocess.run(
            words, env=environment(), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        whole = time.monotonic() - began
        seen = httpx.get(url + TIMELINE).json()
    if not seen:
        print(done.stdout, done.stderr)
        return 1
    first = seen[0]["at"]
    for one in seen:
        one["at"] -= first
        one["over"] = None if one["over"] is None else one["over"] - first
    if args.timeline:
        args.timeline.write_text("".join(json.dumps(one) + "\n" for one in seen))
    ended = max(one["over"] or 0.0 for one in seen)
    limit = len(seen) * args.latency / args.concurrency * 1.15 + 3
    print(f"exit code {done.returncode}; machine load {os.getloadavg()[0]:.1f}")
    print("| api-version | profile | latency | requests | most at once | first to last | whole | bound |")
    print("|---|---|---|---|---|---|---|---|")
    told = (args.api_version, args.profile, f"{args.latency:g} s", len(seen), most_at_once(seen))
    print(f"| {' | '.join(map(str, told))} | {ended:.1f} s | {whole:.1f} s | {limit:.1f} s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
