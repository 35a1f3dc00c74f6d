"""A scenario that was sent several times: each time can be opened, and has an address of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Opening, judged
from playwright.sync_api import expect

SCENARIO = "corpus.embeddings.create"


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run that sent a failing scenario three times."""
    chosen = ("--scenario", SCENARIO, "--profile", "smoke", "--repeat", "3")
    return judged(tmp_path_factory.mktemp("repeated"), *chosen, broken=("--break", "usage.adds-up"))


@pytest.mark.parametrize("fragment", ["repeat.3.", "trace=repeat.3."])
def test_a_link_to_a_repetition_opens_its_requests(repeated: Path, opened: Opening, fragment: str) -> None:
    page = opened(repeated, f"{fragment}{SCENARIO}")
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Scenario repeat.3.{SCENARIO}")
    page.locator(".steps a").first.click()
    expect(page.locator(".exchange")).to_be_visible()


def test_a_finding_leads_to_every_time(repeated: Path, opened: Opening) -> None:
    page = opened(repeated, f"item=usage.adds-up--{SCENARIO}")
    expect(page.locator(".times")).to_contain_text("Sent 3 times:")
    page.get_by_role("link", name="time 2").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Scenario repeat.2.{SCENARIO}")


def test_a_link_to_what_is_not_there_says_so(repeated: Path, opened: Opening) -> None:
    page = opened(repeated, "repeat.9.corpus.other")
    expect(page.get_by_text("This report has no scenario repeat.9.corpus.other.")).to_be_visible()
