"""How large the page of a long run is, how long it takes to open, and how long a filter takes.

    python -m benchmarks.page [--run DIR] [--rounds 5]

Without ``--run`` the embedded emulator is judged with the largest corpus: v1-preview, profile exhaustive (about two
minutes). ``DIR`` is the folder of one api-version. Chromium is needed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from conformance._parts import part

VERSION = "v1-preview"

#: What is typed or chosen, by the part of the form: a text that few verdicts have, one that many have, one outcome.
FILTERS = {
    "few": "text=lifecycle.deleted",
    "many": "text=status",
    "an area": "area=http",
    "everything": "outcome=pass,not_applicable",
}

#: Sets the fragment and waits for the frame in which the list is drawn. Returns milliseconds.
MEASURE = """wanted => new Promise(done => {
    const from = performance.now();
    location.hash = wanted;
    addEventListener("hashchange", () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - from))),
        {once: true});
})"""


def judged(folder: Path) -> Path:
    """The folder of a new run against the embedded emulator."""
    chosen = ("--api-version", VERSION, "--profile", "exhaustive", "--out", str(folder))
    subprocess.run([sys.executable, "-m", "conformance", "run", *chosen], check=True, stdout=subprocess.DEVNULL)
    return folder / VERSION


def opening(browser: Browser, file: Path) -> tuple[float, list[float]]:
    """(seconds until the page can be used, milliseconds of each filter)."""
    page = browser.new_page()
    try:
        before = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]")
        opened = time.perf_counter() - before
        # The first word that is typed prepares the texts of all verdicts; it counts as "few" does.
        return opened, [page.evaluate(MEASURE, fragment) for fragment in FILTERS.values()]
    finally:
        page.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        report = part("reports.jsonl").read(asked.run or judged(Path(folder)))
        before = time.process_time()
        text = part("reports.html").render(report, "out")
        rendered = time.process_time() - before
        file = Path(folder) / "index.html"
        file.write_text(text, "utf-8")
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        rounds = [opening(browser, file) for _ in range(asked.rounds)]
        browser.close()
        exchanges = sum(len(outline.steps) for outline in report.outlines.values())
        print(f"{len(report.verdicts)} verdicts, {exchanges} exchanges; the best of {asked.rounds} rounds")
        print(f"| size | {file.stat().st_size / 1e6:.1f} MB |")
        print(f"| written in, of a processor | {rendered:.1f} s |")
        print(f"| opened in | {min(opened for opened, _ in rounds):.2f} s |")
        for place, name in enumerate(FILTERS):
            print(f"| filter: {name} | {min(times[place] for _, times in rounds):.0f} ms |")


if __name__ == "__main__":
    main()
