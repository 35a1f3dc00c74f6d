"""What a command loads before it does anything: people and scripts ask for the version often."""

from __future__ import annotations

import subprocess
import sys

from conformance import __version__
from conformance.cli import PROG
from conformance.spec.loading import versions


def test_the_version_loads_no_command() -> None:
    words = [sys.executable, "-X", "importtime", "-m", "conformance", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    first, *rest = done.stdout.splitlines()
    assert f"{PROG} {__version__}" == first
    assert [*versions()] == [line.split()[0] for line in rest]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "conformance.cli" in loaded
    assert set() == {"pytest", "httpx", "jsonschema_rs", "conformance.cli.run"} & loaded
