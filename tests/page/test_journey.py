"""From the first screen to a request that is sent again: what somebody does who has to repair a server."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import Opening
from playwright.sync_api import Page, expect
from report_pages import exchanges_of, index_of


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """A server that keeps what it is sent; yields its base URL and the list of request lines, headers and bodies."""
    kept: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.append((f"{self.command} {self.path}", headers, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", kept
        finally:
            server.shutdown()
            thread.join()


def pasted(page: Page) -> str:
    """What the clipboard holds, as somebody gets it who pastes it into a field."""
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
    page.focus("#pasted")
    page.keyboard.press("Control+V")
    return page.input_value("#pasted")


def test_from_the_matrix_to_a_curl_line_that_arrives(broken: Path, opened: Opening) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    page = opened(broken)
    page.get_by_role("button", name="chat, streams: 1 fail of").click()
    expect(page.get_by_role("status")).to_contain_text("of")
    page.get_by_role("link", name="sse.done.last").click()
    expect(page.get_by_role("heading", name="Nothing but comments follows the sentinel")).to_be_visible()
    expect(page.get_by_text("Found: an event follows [DONE]")).to_be_visible()
    case = page.locator(".case code").nth(1).inner_text()
    page.get_by_role("button", name="Copy curl").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    line = pasted(page)
    with listening() as (url, kept):
        env = {**os.environ, "AOAI_TARGET": url, "AZURE_OPENAI_API_KEY": "a-key", "NO_PROXY": "127.0.0.1"}
        subprocess.run(["bash", "-c", line], env=env, check=True, capture_output=True, timeout=60)
    ((start, headers, body),) = kept
    (sent,) = [one["request"] for one in exchanges_of(broken.read_text("utf-8")) if one["id"] == case]
    assert f"POST {sent['url'].partition('/openai')[1]}{sent['url'].partition('/openai')[2]}" == start
    assert sent["body"]["text"].encode() == body
    assert ("application/json", "a-key") == (headers["content-type"], headers["api-key"])


def test_the_first_screen_says_what_is_wrong_and_what_to_do(broken: Path, opened: Opening) -> None:
    page = opened(broken)
    expect(page.get_by_role("heading", level=1)).to_contain_text("not conformant (")
    first = page.locator(".cause").first
    for told in ("fail", "MUST", "Nothing but comments follows", "an event follows [DONE]", "the end of the stream"):
        expect(first).to_contain_text(told)
    expect(first).to_contain_text("aoai-conformance explain sse.done.last")
    first.get_by_role("link", name="Open the example").click()
    expect(page.get_by_role("heading", name="The stream over time")).to_be_visible()


def test_a_stream_is_a_picture_with_the_broken_event_marked(broken: Path, opened: Opening) -> None:
    index = index_of(broken.read_text("utf-8"))
    (cause,) = [one for one in index["causes"] if one["outcome"] == "fail"]
    verdict = index["verdicts"][cause["verdicts"][0]]
    page = opened(broken, f"item=sse.done.last--{index['scenarios'][verdict['scenario']]}")
    expect(page.locator("svg g.tick.broken")).to_have_count(1)
    marked = page.locator(".events tr.marked")
    expect(marked.last).to_contain_text("sse.done.last: an event follows [DONE]")
    # The bytes of the marked event are beside it, and another row shows its own.
    expect(page.locator(".selected h5")).to_contain_text(f"of event {verdict['findings'][0]['place'].split(':')[1]}")
    page.locator(".events").get_by_role("button", name="event 0", exact=True).click()
    expect(page.locator(".selected h5")).to_contain_text("of event 0")


def test_every_step_of_a_scenario_can_be_opened(broken: Path, opened: Opening) -> None:
    page = opened(broken, "item=sse.done.last--corpus.chat.completions.create")
    page.get_by_text("requests of scenario corpus.chat.completions.create").click()
    links = page.locator(".steps a")
    case = links.last.inner_text()
    links.last.click()
    expect(page.locator(".case")).to_contain_text(case)
