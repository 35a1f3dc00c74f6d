"""How much memory a long run takes, and what is made of its report: peak resident memory of each command.

    python -m benchmarks.memory [--exchanges 100000] [--out DIR]

Runs the command line against the embedded emulator, with the requests for chat, completions and embeddings repeated
until there are enough, and some of the checks; then ``verify`` and ``compare``. Each command is a process of its own;
the emulator is another one, which isn't counted. Peaks are what the kernel says (``VmHWM``), so this needs Linux.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from attrs import evolve

from conformance.cli import main as command
from conformance.requests.case import Case
from conformance.run import choice
from conformance.run.selection import scenarios_in
from conformance.scenarios.scenario import Scenario, Script, Settings
from conformance.settings.options import Options
from conformance.spec.spec import Spec

VERSION = "2024-05-01-preview"

OPERATIONS = ("chat.completions.create", "completions.create", "embeddings.create")

#: Each check judges each exchange, so with all of them the run takes hours and no more memory.
CHECKS = ("http.*", "schema.*", "usage.*")

#: How often the requests of one corpus are repeated within a scenario.
ROUNDS = 2


def _repeated(scenario: Scenario, number: int) -> Scenario:
    """The scenario of a corpus under another name, which sends its requests several times."""
    name = f"{scenario.id}~{number}"

    def script(_spec: Spec, _settings: Settings) -> Script:
        for turn in range(ROUNDS):
            yield tuple(_named(case, name, turn) for case in scenario.cases)

    return evolve(scenario, id=name, script=script)


def _named(case: Case, scenario: str, turn: int) -> Case:
    """The same request with an id of its own."""
    return case.at(scenario, str(turn))


def _many(exchanges: int, spec: Spec, options: Options) -> tuple[Scenario, ...]:
    """So many scenarios that they have about so many exchanges."""
    found = [one for one in scenarios_in(spec, options) if one.is_corpus]
    each = sum(len(one.cases) for one in found) * ROUNDS
    return tuple(_repeated(one, number) for number in range(-(-exchanges // each)) for one in found)


def _run(exchanges: int, out: str) -> int:
    """The command ``run`` with more scenarios than the suite has."""
    words = ["run", "--api-version", VERSION, "--out", out, *(f"--operation={name}" for name in OPERATIONS)]
    words += [f"--check={glob}" for glob in CHECKS]
    with patch.object(choice, "scenarios_in", lambda spec, options: _many(exchanges, spec, options)):
        return command(words)


def _peak(*words: str) -> tuple[float, float, int]:
    """Seconds, peak memory in MB and exit code of a command in a process of its own."""
    began, most = time.monotonic(), 0.0
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL)
    while True:
        most = max(most, *_resident(process.pid))
        try:
            code = process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        return time.monotonic() - began, most, code


def _resident(pid: int) -> Iterator[float]:
    """The most memory that a process has had so far, in MB."""
    yield 0.0
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                yield int(line.split()[1]) / 1024
    except OSError:
        return


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--out", default="")
    parser.add_argument("--only-run", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only_run:
        sys.exit(_run(args.exchanges, args.out))
    with tempfile.TemporaryDirectory() as folder:
        out = args.out or f"{folder}/run"
        print(f"{'command':<10} {'seconds':>8} {'peak MB':>8} {'exit':>5}")
        for name, words in (
            ("run", ("benchmarks.memory", "--only-run", "--exchanges", str(args.exchanges), "--out", out)),
            ("verify", ("conformance", "verify", out)),
            ("compare", ("conformance", "compare", out, out)),
        ):
            seconds, most, code = _peak(*words)
            print(f"{name:<10} {seconds:8.0f} {most:8.0f} {code:5}", flush=True)
        for file in sorted((Path(out) / VERSION).iterdir()):
            print(f"{file.name:<20} {file.stat().st_size / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
