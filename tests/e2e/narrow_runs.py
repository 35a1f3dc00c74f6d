"""Runs that send little, as a user types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from served import ORDINARY, Done, command

from conformance._parts import part

VERSION = ORDINARY

#: Two corpora and a script: little to send, and work for two processes.
NARROW = ("corpus.embeddings.create", "corpus.assistants.list", "lifecycle.assistants")
CHOICE = (*(f"--scenario={name}" for name in NARROW), "--profile=smoke")


def report_of(out: Path) -> Any:
    return part("reports.jsonl").read(out / VERSION)


def run(state: Path, name: str, *arguments: str, **env: str) -> tuple[Done, Path]:
    out = state / name
    return command(state, "run", "--out", str(out), "--api-version", VERSION, *arguments, env=env), out
