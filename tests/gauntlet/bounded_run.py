"""One behaviour against one run in a process of its own: time, memory, size of the folder, conclusion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from attrs import frozen
from behaviours import BEHAVIOURS
from hostile_server import KEY, serving

HOME = Path(__file__).resolve().parents[2]

#: Seconds after which a run counts as endless.
PATIENCE = float(os.environ.get("GAUNTLET_PATIENCE", "240"))

#: The most memory and disk that a run may take, in MB.
MOST_MEMORY, MOST_DISK = 300.0, 100.0

VERSION = "v1-preview"

#: Short limits, so that a run that waits for each of them is quick.
SETTINGS = """
[target]
auth = "api-key"
retries = 1

[target.timeouts]
connect = 2
read = 0.5
idle = 0.5
whole = 1

[poll]
interval = 0.05
deadline = 1
"""

LIMITS = """
[limits]
answer_bytes = 16777216

[budget]
wall_seconds = 30
"""


@frozen
class Trial:
    """What one run did. ``megabytes`` is its peak resident memory, ``folder`` the size of all it wrote, in MB."""

    name: str
    seconds: float
    megabytes: float
    folder: float
    code: int | None
    conclusion: str
    outcomes: dict[str, int]
    out: str
    err: str
    leaks: tuple[str, ...] = ()

    @property
    def problems(self) -> list[str]:
        """What must not be."""
        found = []
        if self.code is None:
            found.append(f"it did not end within {PATIENCE:g} s")
        if self.code in (0, 70) or self.conclusion == "conformant":
            found.append(f"exit code {self.code}, {self.conclusion}")
        if self.megabytes > MOST_MEMORY:
            found.append(f"{self.megabytes:.0f} MB of memory")
        if self.folder > MOST_DISK:
            found.append(f"{self.folder:.0f} MB in its folder")
        if "Traceback" in self.err or "internal error" in self.out + self.err:
            found.append("a crash")
        if BEHAVIOURS[self.name].trouble and self.outcomes.get("fail"):
            found.append(f"{self.outcomes['fail']} rules called broken for a bad network")
        found += [f"the key is in {file}" for file in self.leaks]
        return found


def _peak(process: subprocess.Popen[str]) -> tuple[int | None, float]:
    """Wait for the end of a process; its exit code (None if it had to be killed) and its peak memory in MB."""
    deadline, most = time.monotonic() + PATIENCE, 0.0
    while time.monotonic() < deadline:
        # The kernel's own record of the child would begin with the memory of this process, from which it was forked.
        most = max(most, _resident(process.pid))
        try:
            return process.wait(0.02), most
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()
    return None, most


def _resident(pid: int) -> float:
    """The most memory that a process has had so far, in MB; 0 if the system doesn't tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def trial(name: str, folder: Path, *arguments: str, limits: str = LIMITS) -> Trial:
    """Run the smoke profile against a server that behaves so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "conformance.toml").write_text(SETTINGS + limits, "utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AOAI_", "PYTEST_", "COV_"))}
    env = {
        **kept,
        "PYTHONPATH": str(HOME),
        "AZURE_OPENAI_API_KEY": KEY,
        "XDG_STATE_HOME": str(folder / "state"),
    }
    with (
        serving(BEHAVIOURS[name], VERSION) as server,
        (folder / "out.txt").open("w") as out,
        (folder / "err.txt").open("w") as err,
    ):
        words = ["--target", server.url, "--api-version", VERSION, "--profile", "smoke", "--out", "run", *arguments]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "conformance", "run", *words],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
        code, peak = _peak(process)
        seconds = time.monotonic() - began
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files if "run" in file.relative_to(folder).parts[:1]) / 1e6
    footer = _footer(folder / "run" / VERSION / "report.jsonl")
    return Trial(
        name,
        seconds,
        peak,
        size,
        code,
        footer.get("conclusion", "-"),
        footer.get("outcomes", {}),
        (folder / "out.txt").read_text("utf-8", "replace"),
        (folder / "err.txt").read_text("utf-8", "replace"),
        tuple(str(file.relative_to(folder)) for file in files if KEY.encode() in file.read_bytes()),
    )


def _footer(file: Path) -> dict[str, object]:
    """The last line of a report, if it is a footer."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 200_000))
            last = json.loads(stream.read().splitlines()[-1])
    except (OSError, ValueError, IndexError):
        return {}
    return last if last.get("type") == "footer" else {}
