"""Pages of reports, and how a browser opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from served import CANARY, command, serving

VERSION = "2024-10-21"

#: Opens a page: the file, a fragment, and options of a browser context.
Opening = Callable[..., Page]


@contextmanager
def opened(browser: Browser, file: Path, fragment: str, options: dict[str, Any]) -> Iterator[Page]:
    troubles: list[str] = []
    expected = options.pop("expecting", None)
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
    address = file.as_uri()
    page.on("request", lambda asked: None if asked.url.split("#")[0] == address else troubles.append(asked.url))
    page.goto(f"{address}#{fragment}")
    # Tables of reports have no script.
    if options.get("java_script_enabled", True) and page.locator("#index").count():
        page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert [] == [told for told in troubles if expected is None or expected not in told]


def judged(folder: Path, *arguments: str, broken: tuple[str, ...] = ()) -> Path:
    """The page of a run against an emulator; ``broken`` are arguments of ``serve``."""
    with serving(folder, "--api-version", VERSION, *broken) as url:
        chosen = ("--target", url, "--api-version", VERSION, "--out", "out", *arguments)
        done = command(folder, "run", *chosen, env={"AZURE_OPENAI_API_KEY": CANARY})
    page = folder / "out" / VERSION / "index.html"
    assert page.is_file(), done.out + done.err
    return page
