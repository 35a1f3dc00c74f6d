"""What a request costs the embedded emulator: CPU of its process for each request of a profile.

    python -m benchmarks.emulator [--api-version V] [--profile standard] [--rounds 3] [--wait]

A run sends the profile once, one request at a time, and notes it. Each round sends the same requests in the same order
to a fresh emulator in a process of its own, by the transport of the suite, which opens a connection where a run opens
one. Ids of the emulator come from counters, so the answers are the same. Printed is what Linux says of that process
before the first and after the last request (``/proc/PID/stat``, user and system), divided by the requests.

Not counted: start of Python, imports, reading the api-version, and the process that sends. Counted: connections, and
what the emulator makes when an operation is asked for the first time, such as compiled schemas. ``--wait`` waits for
the return key before each round, so that a profiler can be attached to the process whose id it prints.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.beside import KEY
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS, Settings
from conformance.emulator.process import emulator
from conformance.requests.headers import REDACTED
from conformance.requests.request import Request
from conformance.run.order import queued
from conformance.run.runner import Runner
from conformance.run.selection import scenarios_in
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.preflight import preflight
from conformance.target.target import Target
from conformance.target.transport import Transport


@frozen
class _Noted:
    """A request of the run with its key, whether it gets a connection of its own, and how it was answered."""

    request: Request
    fresh: bool
    status: int | None


def noted(spec: Spec, options: Options) -> list[_Noted]:
    """The requests of a run, in the order in which they were sent."""
    scenarios = queued(scenarios_in(spec, options))
    with emulator([spec.version], settings=Settings(key=KEY)) as url, tempfile.TemporaryDirectory() as folder:
        config = _config(url)
        with (
            Journal(Path(folder), target=url, api_version=spec.version, sync=False) as journal,
            Target(config, spec, journal=journal) as target,
        ):
            found = preflight(target, spec)
            with Runner(spec, scenarios, (), target, concurrency=1, profile=options.profile, preflight=found) as runner:
                runner.start()
                seen = [one for scenario in scenarios for one in runner.trace(scenario.id)]
    seen.sort(key=lambda one: one.exchange.started)
    return [
        _Noted(_keyed(one.exchange.request, one.exchange.status), not one.case.changes_nothing, one.exchange.status)
        for one in seen
    ]


def _config(url: str) -> Config:
    """The configuration of a run against an emulator."""
    able = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
    return Config(target=TargetConfig(url=url, key=KEY, live=False, deployments=able, deterministic=True))


def _keyed(request: Request, status: int | None) -> Request:
    """The request with the key that its evidence hides. One that was refused for its key keeps a wrong one."""
    if status == 401:
        return request
    return evolve(request, headers=tuple((k, KEY if v == REDACTED else v) for k, v in request.headers))


def spent(pid: int) -> tuple[float, float]:
    """CPU seconds of a process so far: user and system."""
    # The second field is the name of the program, which may hold spaces and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


def _child() -> int:
    """The id of the emulator, the only process that this one has started and not yet ended."""
    own = str(os.getpid())
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if fields[1] == own and fields[0] != "Z":
            return int(file.parent.name)
    raise SystemExit("the emulator is not there")


def replayed(spec: Spec, requests: list[_Noted], *, wait: bool) -> tuple[float, float, int]:
    """User and system seconds of a fresh emulator for the requests, and how many were answered with another status."""
    with emulator([spec.version], settings=Settings(key=KEY)) as url:
        config, pid = _config(url), _child()
        transport = Transport(url, config.target.timeouts, config.limits)
        if wait:
            input(f"process {pid}: ")
        other = 0
        before = spent(pid)
        for one in requests:
            answer = transport.send(one.request, fresh=one.fresh)
            other += one.status != (answer.response.status if answer.response else None)
        after = spent(pid)
        transport.close()
    return after[0] - before[0], after[1] - before[1], other


def main() -> None:
    """Measure, and print a line for each round and one for the cheapest of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api-version", default="2024-05-01-preview")
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", action="store_true", help="wait for the return key before each round")
    given = parser.parse_args()
    spec = load(given.api_version)
    requests = noted(spec, Options(profile=given.profile))
    print(f"{given.api_version}, {given.profile}: {len(requests)} requests")
    print("| round | ms a request | user | system | answered otherwise |")
    print("|---|---|---|---|---|")
    best = float("inf")
    for number in range(given.rounds):
        user, system, other = replayed(spec, requests, wait=given.wait)
        each = 1000 / max(1, len(requests))
        best = min(best, (user + system) * each)
        print(
            f"| {number + 1} | {(user + system) * each:.3f} | {user * each:.3f} | {system * each:.3f} | {other} |",
            flush=True,
        )
    print(f"cheapest: {best:.3f} ms of CPU a request; machine load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
