"""What a target sends is shown and never obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from browsing import Opening
from playwright.sync_api import Page, expect

from conformance._parts import part
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.settings.scope import RunScope
from conformance.verdict import Finding, Outcome, Verdict, Waived

#: Texts that a browser would obey if it took one of them for markup, and marks that change the order of text.
ATTACKS = (
    "<script>window.obeyed = 1</script>",
    "</script><script>window.obeyed = 1</script>",
    "<img src=x onerror='window.obeyed = 1'>",
    "javascript:window.obeyed=1",
    "--><svg onload=window.obeyed=1>",
)
MARKS = "\u202e\u2066\u200f\u061c\x1b\x00\ud800"
HOSTILE = " ".join(ATTACKS) + MARKS

HEADER = {
    "suite": "0",
    "api_version": "v<b>",
    "spec_digest": "d" * 64,
    "target": {"url": "https://t.example", "auth": "api-key", "embedded": False},
    "scope": RunScope().to_json(),
    "seed": 0,
    "started": "2026-01-01T00:00:00Z",
    "checks": {"a.check": {"level": "MUST", "area": HOSTILE, "clause": "c", "clause_text": HOSTILE, "title": HOSTILE}},
    "errata": {},
}
FOOTER = {
    "conclusion": "not conformant",
    "interrupted": False,
    "outdated": [HOSTILE],
    "notes": [HOSTILE],
    "drift": [{"operation": "o", "path": HOSTILE, "value": HOSTILE, "count": 1, "case": "0"}],
    "finished": "",
}


def seen(name: str, media_type: str, body: bytes) -> Observation:
    case = Case(operation="o", method="POST", path="/p", body=JsonBody({"n": name}), reason=HOSTILE)
    # A header can't hold every character; the page must not rely on that.
    headers = (("content-type", media_type), ("x-a", HOSTILE))
    request = Request("POST", f"https://t.example/p?q={HOSTILE}", headers, json.dumps({"n": HOSTILE}).encode())
    return Observation(
        case, Exchange(request, Response(200, headers, (Chunk(0.1, body),), reason=HOSTILE, elapsed=0.2))
    )


def told(text: str) -> bytes:
    return text.encode("utf-8", "ignore")


EVENTS = f"event: {HOSTILE.translate({0: None})}\ndata: {json.dumps({'a': HOSTILE})}\n\n: {HOSTILE}\n\ndata: [DONE]\n\n"
BODIES = {
    "json": seen("json", "application/json", json.dumps({HOSTILE: {"a": HOSTILE}, "b": [HOSTILE]}).encode()),
    "html": seen("html", "text/html", told(HOSTILE)),
    "bytes": seen("bytes", "application/octet-stream", b"\xff\x00" + told(HOSTILE)),
    "stream": seen("stream", "text/event-stream", told(EVENTS)),
}
PLACES = {"json": f"/b/0/{HOSTILE}", "html": "status", "bytes": "byte:3", "stream": "event:0/a"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose every text is hostile."""
    traces = {f"corpus.{name}": Trace(f"corpus.{name}", (one,), HOSTILE) for name, one in BODIES.items()}
    verdicts = [
        Verdict(
            "a.check",
            f"corpus.{name}",
            Outcome.FAIL,
            (Finding(HOSTILE, one.case.id, PLACES[name], HOSTILE, HOSTILE),) * 2,
            1,
            reason=HOSTILE,
        )
        for name, one in BODIES.items()
    ]
    waived = Waived(Outcome.FAIL, HOSTILE, HOSTILE, "javascript:window.obeyed=1", "2999-01-01")
    verdicts.append(evolve(verdicts[0], check="b.check", outcome=Outcome.WAIVED, waived=waived))
    report = part("reports.jsonl").Report(HEADER, traces, tuple(verdicts), FOOTER)
    file = tmp_path_factory.mktemp("hostile") / "index.html"
    file.write_text(part("reports.html").render(report, "out"), "utf-8")
    return file


def harmless(page: Page) -> None:
    """Nothing was run, and no mark is there as it was sent."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    text: str = page.evaluate(
        "document.body.innerText + [...document.querySelectorAll('[title],[aria-label]')].map("
        "one => one.title + one.ariaLabel).join('')"
    )
    assert [] == [hex(ord(mark)) for mark in MARKS if mark in text]
    assert "\\u202e" in text
    assert "<img src=x" in text
    assert page.evaluate("window.obeyed === undefined")
    assert 0 == page.locator("img").count()
    links: list[str] = page.evaluate("[...document.querySelectorAll('a')].map(one => one.protocol)")
    assert {"file:"} >= {*links}


@pytest.mark.parametrize("name", ["", *BODIES])
def test_texts_of_a_target_are_texts(hostile: Path, opened: Opening, name: str) -> None:
    page = opened(hostile, f"item=a.check--corpus.{name}" if name else "")
    if name:
        expect(page.locator(".exchange")).to_be_visible()
    harmless(page)


def test_waivers_drift_and_rules_too(hostile: Path, opened: Opening) -> None:
    harmless(opened(hostile, "item=b.check--corpus.json"))
    page = opened(hostile, "outcome=waived")
    page.locator(".rules summary").click()
    harmless(page)


def test_a_script_that_got_into_the_page_would_not_run(hostile: Path, opened: Opening) -> None:
    """The policy allows the page's own script alone, by its digest."""
    page = opened(hostile, expecting="Content Security Policy")
    refused: Any = page.evaluate(
        """new Promise(done => {
            addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
            document.body.append(Object.assign(document.createElement("script"), {textContent: "window.obeyed = 1"}));
        })"""
    )
    assert "script-src-elem" == refused
    assert page.evaluate("window.obeyed === undefined")


def test_without_the_script_texts_are_texts_too(hostile: Path, opened: Opening) -> None:
    page = opened(hostile, java_script_enabled=False)
    expect(page.locator(".cause").first).to_contain_text("<img src=x")
    assert 0 == page.locator("img").count()
