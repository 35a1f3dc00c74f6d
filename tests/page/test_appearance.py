"""Dark and light, narrow and printed, with a screen reader, and without a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import Opening
from playwright.sync_api import Page, expect

#: Where ``npm ci`` puts the accessibility checker. It is used here alone and is in no package of ours (MPL-2.0).
AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

with_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm --prefix frontend ci")

FINDING = "item=sse.done.last--corpus.chat.completions.create"
VIEWS = {
    "overview": "",
    "list": "text=chat",
    "finding": FINDING,
    "pass": "item=http.media-type--corpus.embeddings.create",
}


def colour(page: Page, selector: str, what: str) -> list[int]:
    """Red, green and blue of an element."""
    text: str = page.locator(selector).first.evaluate("(one, what) => getComputedStyle(one)[what]", what)
    return [int(part) for part in text.split("(")[1].rstrip(")").split(",")[:3]]


@with_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_serious_problem_of_accessibility(broken: Path, opened: Opening, view: str, scheme: str) -> None:
    """Names, roles, contrast: what axe-core finds in WCAG 2.2 at levels A and AA, and its best practices."""
    page = opened(broken, VIEWS[view], color_scheme=scheme, bypass_csp=True)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert {} == violations(page, scheme)


@with_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_table_of_api_versions_has_no_serious_problem_of_accessibility(
    broken: Path, opened: Opening, scheme: str
) -> None:
    page = opened(broken.parents[1] / "index.html", color_scheme=scheme, bypass_csp=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 api-version: 1 not conformant")
    assert {} == violations(page, scheme)


@with_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_site_has_no_serious_problem_of_accessibility_and_fits_a_telephone(opened: Opening, scheme: str) -> None:
    """The example under ``docs``."""
    example = Path(__file__).resolve().parents[2] / "docs" / "example" / "index.html"
    page = opened(example, color_scheme=scheme, bypass_csp=True, viewport={"width": 400, "height": 800})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert 400 == page.evaluate("document.documentElement.scrollWidth")
    expect(page.get_by_text("pip install fakellm")).to_be_visible()
    assert {} == violations(page, scheme)


def violations(page: Page, scheme: str) -> dict[str, list[str]]:
    """What axe-core finds, by the id of its rule: the beginnings of the first elements. Only what is serious.

    In the dark only the colours differ, so only their rule is asked there.
    """
    page.add_script_tag(path=AXE)
    asked = "{runOnly: ['color-contrast']}" if scheme == "dark" else ""
    found: list[dict[str, Any]] = page.evaluate(f"axe.run({asked}).then(result => result.violations)")
    return {
        one["id"]: [node["html"][:120] for node in one["nodes"][:3]]
        for one in found
        if one["impact"] in ("serious", "critical")
    }


def test_colours_follow_the_system(broken: Path, opened: Opening) -> None:
    light = colour(opened(broken, color_scheme="light"), "html", "backgroundColor")
    dark = colour(opened(broken, color_scheme="dark"), "html", "backgroundColor")
    assert sum(light) > 600
    assert sum(dark) < 150


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_telephone(broken: Path, opened: Opening, view: str) -> None:
    page = opened(broken, VIEWS[view], viewport={"width": 400, "height": 800})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert 400 == page.evaluate("document.documentElement.scrollWidth")


def test_a_cell_of_the_table_of_api_versions_opens_its_verdicts(broken: Path, opened: Opening) -> None:
    page = opened(broken.parents[1] / "index.html", viewport={"width": 400, "height": 800}, expecting="")
    assert 400 == page.evaluate("document.documentElement.scrollWidth")
    page.get_by_role("link", name="fail").click()
    expect(page.locator(".list").get_by_role("link", name="sse.done.last")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("1 of")


def test_print_has_the_failing_evidence(broken: Path, opened: Opening) -> None:
    """The evidence is rendered when printing begins, and gone afterwards."""
    page = opened(broken)
    page.evaluate(
        """addEventListener("beforeprint", () => {
            window.printed = document.querySelector(".printed").innerText;
            window.shown = getComputedStyle(document.querySelector(".filters")).display;
        })"""
    )
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF-")
    assert paper.count(b"/Type /Page\n") > 1
    text: str = page.evaluate("window.printed")
    for told in ("Nothing but comments follows", "POST", "an event follows [DONE]", "curl -sS"):
        assert told in text
    expect(page.locator(".printed")).to_have_count(0)


def test_one_finding_is_printed_as_it_is_open(broken: Path, opened: Opening) -> None:
    page = opened(broken, FINDING)
    page.emulate_media(media="print")
    expect(page.locator(".exchange")).to_be_visible()
    expect(page.locator(".crumbs")).to_be_hidden()
    assert page.pdf().startswith(b"%PDF-")


def test_without_its_script_the_page_is_a_summary_with_the_failures(broken: Path, opened: Opening) -> None:
    page = opened(broken, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("not conformant")
    expect(page.get_by_role("heading", name="Root causes: 1")).to_be_visible()
    for told in ("Nothing but comments follows", "expected  the end of the stream", "curl -sS"):
        expect(page.locator(".cause").first).to_contain_text(told)
    expect(page.get_by_text("This is the summary.")).to_be_visible()
