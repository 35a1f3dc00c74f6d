"""The example under ``docs/example`` is what its command makes of the reports that are kept beside it."""

from __future__ import annotations

import gzip
import json
import re
import runpy
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "example"

#: What must not be in what is shown to others: a path of the machine on which it was made.
OF_A_MACHINE = re.compile(r"/(?:tmp|root|home|work|var|Users)/")

#: The most bytes of all files together.
LARGEST = 3_000_000


def command() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLE / "__main__.py"), run_name="example")


def test_the_example_is_what_its_command_makes(tmp_path: Path) -> None:
    """But for the pages of the reports, which change with every line of their script."""
    command()["render"](tmp_path)
    for name in ("index.html", "feed.xml", "feed.json"):
        assert (tmp_path / name).read_text("utf-8") == (EXAMPLE / name).read_text("utf-8"), f"run: python {EXAMPLE}"
    made = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*")}
    kept = {file.relative_to(EXAMPLE).as_posix() for file in EXAMPLE.rglob("*.*") if "runs" not in file.parts}
    assert made == {name for name in kept if not name.startswith("_")}


def test_the_reports_are_those_of_the_servers_that_the_command_names() -> None:
    made = command()
    expected = {(made["folder_of"](one), version) for one in made["SERVERS"] for version in one.versions}
    assert expected == {(file.parts[-3], file.parts[-2]) for file in EXAMPLE.glob("runs/*/*/report.jsonl.gz")}
    assert len({one.package.partition("==")[0] for one in made["SERVERS"] if one.package}) >= 2


def test_each_link_leads_somewhere_and_nothing_tells_of_a_machine() -> None:
    files = [file for file in EXAMPLE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < LARGEST
    for file in files:
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert None is OF_A_MACHINE.search(text.decode("utf-8", "replace")), file
    text = (EXAMPLE / "index.html").read_text("utf-8")
    links = {link.partition("#")[0] for link in re.findall(r'href="([^"]+)"', text)}
    links |= {item["url"] for item in json.loads((EXAMPLE / "feed.json").read_text("utf-8"))["items"]}
    assert len(links) > 5
    assert [] == [link for link in links if not (EXAMPLE / link).is_file()]
