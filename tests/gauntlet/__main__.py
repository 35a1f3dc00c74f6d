"""``python tests/gauntlet [NAME …]``: every hostile behaviour against one run, as a page in Markdown.

The page of all of them is kept: ``python tests/gauntlet > benchmarks/gauntlet.md``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from behaviours import BEHAVIOURS
from bounded_run import MOST_DISK, MOST_MEMORY, PATIENCE, trial

ABOUT = f"""# Hostile targets

From `python tests/gauntlet > benchmarks/gauntlet.md`: a run of the smoke profile against each of {len(BEHAVIOURS)}
hostile servers, with the limits of `tests/gauntlet/bounded_run.py`. Seconds and peak memory are those of the whole
command, and depend on the machine; the size is that of all that it wrote. No run may take more than {PATIENCE:g} s,
{MOST_MEMORY:g} MB of memory and {MOST_DISK:g} MB of disk, call a hostile target conformant, crash, keep the key, or
call a rule broken where only the network may be bad. What breaks that stands in bold type.
"""


def main(names: list[str]) -> None:
    """Print what the table shows, and a line for each behaviour."""
    print(ABOUT)
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
