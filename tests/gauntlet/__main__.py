"""``python tests/gauntlet [NAME …]``: every hostile behaviour against one run, as a table in Markdown."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from behaviours import BEHAVIOURS
from bounded_run import trial


def main(names: list[str]) -> None:
    """Print a line for each behaviour."""
    print("| behaviour | what the target does | seconds | peak MB | folder MB | conclusion |")
    print("|---|---|---|---|---|---|")
    for name in names or BEHAVIOURS:
        with tempfile.TemporaryDirectory() as folder:
            made = trial(name, Path(folder))
        numbers = f"{made.seconds:.0f} | {made.megabytes:.0f} | {made.folder:.1f}"
        wrong = "".join(f" **{problem}**" for problem in made.problems)
        print(f"| {name} | {BEHAVIOURS[name].about} | {numbers} | {made.conclusion}{wrong} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
