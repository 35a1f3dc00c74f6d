"""The mutation tester itself: what its operators make, how a mutant is told, and that a trial kills one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

from cosmic_ray.mutating import mutate_code
from mutation import mutations
from operators import OPERATORS

HERE = Path(__file__).resolve().parent

SOURCE = '''\
def first(text: str | None, most: int = 3) -> str | None:
    """A docstring."""
    if text in ("a", "b"):
        return None
    shown = text.strip().lower()
    return shown[:most]
'''

PARTS = ("int = 4", "int = 2", "not text in", "not in", "text.lower()", "text.strip()", "pass")


@pytest.mark.parametrize("name", ["ReplaceIn", "RemoveTextMethod", "RemoveStatement"])
def test_our_own_operators_make_what_their_examples_say(name: str) -> None:
    made = OPERATORS[name]
    for example in made.examples():
        assert example.post_mutation_code == mutate_code(example.pre_mutation_code, made, example.occurrence)


def test_a_mutant_is_told_by_its_function_and_its_lines(tmp_path: Path) -> None:
    """Annotations and docstrings are left alone: a change there changes nothing."""
    path = tmp_path / "first.py"
    path.write_text(SOURCE)
    assert {
        ("def first(text: str | None, most: int = 3) -> str | None:", "int = 4"),
        ("def first(text: str | None, most: int = 3) -> str | None:", "int = 2"),
        ('if text in ("a", "b"):', "not in"),
        ('if text in ("a", "b"):', "not text in"),
        ("return None", "pass"),
        ("shown = text.strip().lower()", "text.lower()"),
        ("shown = text.strip().lower()", "text.strip()"),
        ("return shown[:most]", "pass"),
    } == {
        (made.identity.was, next(part for part in PARTS if part in made.identity.becomes))
        for made in mutations(path, "first")
        if made.identity.where == "first"
    }


def test_a_trial_kills_a_mutant() -> None:
    """The whole way, on a few mutants of a small module."""
    command = [sys.executable, str(HERE), "--module", "evidence.trace", "--sample", "2", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert "100.0% of the mutants that can be killed are killed" in done.stdout
