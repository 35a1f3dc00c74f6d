"""How much judging costs: the suite's runner and all checks, beside bare httpx that replays the same requests.

Both talk to an emulator of their own in another process, with the same number of threads in flight. Start-up of Python,
the corpus and the emulator is not counted. As in a run, a process beside this one judges where that is possible.

    python -m benchmarks.judged [--api-version V] [--concurrency 8] [--rounds 3]

Prints requests per second of the best round: sent, sent and judged, bare; and the ratio that the project aims at (0.5).
"""

from __future__ import annotations

import argparse
import ssl
import tempfile
import threading
import time
from collections import defaultdict
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.beside import KEY
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS, Settings
from conformance.emulator.process import emulator
from conformance.requests.request import Request
from conformance.run.copied import possible
from conformance.run.judging import Beside, Here
from conformance.run.order import queued
from conformance.run.runner import Runner
from conformance.run.selection import Item, checks_of, items_of, scenarios_in
from conformance.run.store import InMemory
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.preflight import preflight
from conformance.target.target import Target


def judged(spec: Spec, width: int, options: Options, items: tuple[Item, ...]) -> tuple[list[Request], float, float]:
    """The requests that were sent, seconds to send them, and seconds until all was judged too."""
    scenarios = queued(scenarios_in(spec, options))
    able = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
    with emulator([spec.version], settings=Settings(key=KEY)) as url, tempfile.TemporaryDirectory() as folder:
        config = Config(target=TargetConfig(url=url, key=KEY, live=False, deployments=able, deterministic=True))
        with (
            Journal(Path(folder), target=url, api_version=spec.version, sync=False) as journal,
            Target(config, spec, journal=journal) as target,
        ):
            found = preflight(target, spec)
            store, checks = InMemory(), defaultdict(list)
            for item in items:
                checks[item.scenario].append(item.check)
            began = time.monotonic()
            judging = Beside(spec, store, checks) if possible() else Here(spec, store)
            runner = Runner(
                spec,
                scenarios,
                checks_of(options),
                target,
                concurrency=width,
                preflight=found,
                store=store,
                judging=judging,
            )
            runner.start()
            for item in items:
                runner.verdict(item.scenario, item.check.id)
            over = time.monotonic() - began
            judging.close()
            traces = [runner.trace(scenario.id) for scenario in scenarios]
            runner.close()
            last = max(seen.exchange.started for trace in traces for seen in trace)
            first = min(seen.exchange.started for trace in traces for seen in trace)
            return [seen.exchange.request for trace in traces for seen in trace], last - first, over


def bare(spec: Spec, width: int, requests: list[Request]) -> float:
    """Seconds that threads with an ``httpx.Client`` each need for the same requests."""
    turns = count()
    context = ssl.create_default_context()
    with emulator([spec.version], settings=Settings(key=KEY)) as url:

        def work() -> None:
            with httpx.Client(verify=context, trust_env=False, timeout=60) as client:
                while (turn := next(turns)) < len(requests):
                    request = requests[turn]
                    parts = urlsplit(request.url)
                    headers = [(k, KEY if k == "api-key" else v) for k, v in request.headers]
                    there = f"{url}{parts.path}?{parts.query}"
                    with client.stream(request.method, there, content=request.body, headers=headers) as answer:
                        for _ in answer.iter_raw():
                            pass

        began = time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(width)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began


def main() -> None:
    """Measure both, the rounds interleaved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--api-version", default="2024-05-01-preview")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    spec, options = load(given.api_version), Options()
    items = items_of(spec, scenarios_in(spec, options), checks_of(options))
    sent, whole, plain = 0.0, 0.0, 0.0
    for _ in range(given.rounds):
        requests, sending, over = judged(spec, given.concurrency, options, items)
        seconds = bare(spec, given.concurrency, requests)
        sent, whole = max(sent, len(requests) / sending), max(whole, len(requests) / over)
        plain = max(plain, len(requests) / seconds)
    print(f"{len(requests)} requests, {len(items)} verdicts, {given.concurrency} in flight, best of {given.rounds}")
    print(f"sent {sent:.0f}/s, sent and judged {whole:.0f}/s, bare httpx {plain:.0f}/s")
    print(f"judged / bare = {whole / plain:.2f}")


if __name__ == "__main__":
    main()
