"""Filters, links and keys: what is shown stands in the address."""

from __future__ import annotations

from pathlib import Path

from browsing import Opening
from playwright.sync_api import Page, expect
from report_pages import index_of


def shown(page: Page) -> int:
    """The number of verdicts that the page says it shows."""
    return int(page.get_by_role("status").inner_text().split(" of ")[0].replace(",", ""))


def test_a_text_filters_by_keyboard_alone(broken: Path, opened: Opening) -> None:
    page = opened(broken)
    page.keyboard.press("/")
    page.keyboard.type("sse.done.last")
    expect(page.get_by_role("status")).to_contain_text("of")
    wanted = [verdict for verdict in texts(broken) if "sse.done.last" in verdict]
    expect(page.get_by_role("status")).to_contain_text(f"{len(wanted)} of ")
    assert "text=sse.done.last" in page.url
    page.keyboard.press("Tab")
    expect(page.get_by_label("Level")).to_be_focused()


def texts(file: Path) -> list[str]:
    """The rules of the verdicts that are shown if nothing is chosen: all that apply."""
    index = index_of(file.read_text("utf-8"))
    return [index["rules"][one["rule"]]["id"] for one in index["verdicts"] if one["outcome"] != "not_applicable"]


def test_the_matrix_is_walked_with_arrows_and_chosen_with_enter(broken: Path, opened: Opening) -> None:
    page = opened(broken)
    page.locator('.cell[tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page.locator(":focus")).to_contain_text("embeddings, all areas: ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_contain_text("chat, http: ")
    page.keyboard.press("Enter")
    assert "area=http&group=chat" in page.url
    expect(page.get_by_label("Group")).to_have_value("chat")


def test_a_link_opens_the_same_finding_and_back_leads_to_the_list(broken: Path, opened: Opening) -> None:
    page = opened(broken, "outcome=fail&item=sse.done.last--corpus.chat.completions.create")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Nothing but comments")
    page.get_by_role("link", name="All verdicts").click()
    assert 1 == shown(page)
    page.go_back()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Nothing but comments")


def test_a_link_to_what_is_not_there_says_so(broken: Path, opened: Opening) -> None:
    page = opened(broken, "item=no.such--thing")
    expect(page.get_by_text("This report has no verdict no.such--thing")).to_be_visible()
    page = opened(broken, "case=000000000000")
    expect(page.get_by_text("report.jsonl")).to_be_visible()


def test_outcomes_are_switched_and_all_filters_are_cleared(broken: Path, opened: Opening) -> None:
    page = opened(broken)
    before = shown(page)
    page.get_by_role("button", name="pass", exact=False).and_(page.locator(".toggle")).click()
    assert 0 < shown(page) < before
    assert "outcome=" in page.url
    page.get_by_label("Check").fill("sse.*")
    page.get_by_role("button", name="Clear filters").click()
    assert before == shown(page)
    assert page.url.endswith("#")


def test_filters_in_an_address_are_those_in_the_form(broken: Path, opened: Opening) -> None:
    page = opened(broken, "level=MUST&area=streams&operation=chat.*&check=sse.*")
    for label, value in (("Level", "MUST"), ("Area", "streams"), ("Operation", "chat.*"), ("Check", "sse.*")):
        expect(page.get_by_label(label)).to_have_value(value)
    assert 0 < shown(page) < len(texts(broken))


def test_a_cause_shows_the_verdicts_that_it_explains(refused: Path, opened: Opening) -> None:
    """All of them, whatever their rule and operation."""
    page = opened(refused)
    widest = index_of(refused.read_text("utf-8"))["causes"][0]
    page.get_by_role("link", name=f"Show {len(widest['verdicts'])} verdicts in the list").click()
    expect(page.get_by_text("Only what one cause explains")).to_be_visible()
    assert len(widest["verdicts"]) == shown(page)
    page.get_by_role("button", name="Show others too").click()
    expect(page.get_by_text("Only what one cause explains")).to_be_hidden()
