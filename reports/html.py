"""HTML: the report as one self-contained page, with verdicts, findings and every request with its answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.evidence.exchange import Response
from conformance.evidence.timeline import marks_of, timeline, visible
from conformance.evidence.timeline import render as rows_as_text
from conformance.evidence.trace import Observation
from conformance.judging.repeats import scenario_of
from conformance.requests.headers import Headers
from conformance.verdict import Outcome, Verdict, fold

from .failure import explain, witness
from .headline import headline
from .jsonl import Report
from .summary import grouped, summarise

__all__ = ["NAME", "pieces", "policy", "render"]

NAME = "index.html"

#: Characters of a body that are shown. ``report.jsonl`` has the whole body.
LONGEST = 3_000


#: Characters of requests and answers on the page: of those that a finding or a verdict that isn't a pass names, and of
#: the others. What doesn't fit is counted; ``report.jsonl`` has it.
NAMED, OTHERS = 12_000_000, 16_000_000

#: The most findings that one card lists.
LISTED = 200

#: What docstrings of checks mark as code. Every second part of a text that is split by it is code.
_CODE = re.compile(r"``([^`\n]+)``")

#: How the line of an explanation begins that holds the docstring of a check.
_RULE = "  rule "


def render(report: Report, run_dir: str) -> str:
    """HTML text."""
    return "".join(pieces(report, run_dir))


def pieces(report: Report, run_dir: str) -> Iterator[str]:
    """The page in pieces: of a long run it has more text than should be in memory at once."""
    environment = Environment(
        # Bodies of the target may contain markup; a misspelt name in the template must not become an empty text.
        loader=PackageLoader(__package__ or "reports"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["code_spans"] = _CODE.split
    summary = summarise(report)
    template = environment.get_template("index.html.j2")
    # Style and script of the page stand in the template as they are, so the policy needs no rendered page.
    source = Path(str(template.filename)).read_text("utf-8")
    made = template.generate(
        policy=policy(source),
        header=report.header,
        footer=report.footer,
        first=headline(report),
        summary=summary,
        cards=[_card(report, group, run_dir) for group in grouped(summary.notable)],
        rows=_rows(report),
    )
    # What a target sent could reorder the text around it, so that a reader sees something else than what is there.
    yield from map(visible, made)


def policy(page: str) -> str:
    """The Content-Security-Policy of a page: nothing is loaded or sent, only its own style and script are used.

    They are named by their digests (Content Security Policy Level 3, section 2.3.1).
    """
    allowed = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]
    for kind in ("style", "script"):
        found = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in found]
        if digests:
            allowed.append(" ".join([f"{kind}-src", *(f"'sha256-{digest}'" for digest in digests)]))
    return "; ".join(allowed)


def _card(report: Report, group: Sequence[Verdict], run_dir: str) -> dict[str, Any]:
    """The explanation of a group of verdicts, for the template."""
    verdict = group[0]
    trace = report.traces[verdict.evidence]
    header = report.header
    lines = explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
    best = witness(verdict, trace)
    seen = best[1] if best else None
    response = seen.exchange.response if seen else None
    text = ""
    if best and seen and response and response.media_type == "text/event-stream":
        text = rows_as_text(timeline(seen.exchange, marks_of(report.verdicts, seen.case.id)))
    several = verdict.findings if len(verdict.findings) > 1 else ()
    return {
        "outcome": verdict.outcome.value,
        "anchor": f"{verdict.check}--{verdict.scenario}",
        "lines": [(line, line.startswith(_RULE)) for line in lines],
        "timeline": text,
        "others": [(_anchor(verdict.evidence, one.case_id), one) for one in several[:LISTED]],
        "findings": len(several),
        "same": group[1:],
    }


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    """Yield a row for each scenario, for the template."""
    checks = report.header["checks"]
    by_scenario: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts:
        by_scenario.setdefault(verdict.scenario, []).append(verdict)
    room = _Room(report)
    for name, trace in report.traces.items():
        shown = [item for seen in trace if (item := room.fitting(name, seen)) is not None]
        verdicts = [v for v in by_scenario.get(name, ()) if v.outcome is not Outcome.NOT_APPLICABLE]
        yield {
            "scenario": name,
            "outcome": fold(verdict.outcome for verdict in verdicts).value if scenario_of(name) == name else "again",
            "exchanges": len(trace.observations),
            "partly": sum(bool(verdict.unjudged) for verdict in verdicts),
            "verdicts": [
                {
                    "outcome": verdict.outcome,
                    "check": verdict.check,
                    "level": checks.get(verdict.check, {}).get("level", ""),
                    "title": checks.get(verdict.check, {}).get("title", ""),
                    "coverage": verdict.coverage or (f"judged {verdict.judged}" if verdict.judged else ""),
                    "partly": bool(verdict.unjudged),
                    "stability": verdict.stability,
                    "unstable": verdict.stable is False,
                    "witness": verdict.witness,
                    "link": _anchor(verdict.evidence, verdict.witness),
                    "reason": verdict.waived.text if verdict.waived else verdict.reason,
                }
                for verdict in sorted(verdicts, key=lambda v: v.check)
            ],
            "evidence": shown,
            "left_out": len(trace.observations) - len(shown),
        }


class _Room:
    """The room for requests and answers on the page."""

    def __init__(self, report: Report) -> None:
        quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE)
        self._named = {
            (verdict.evidence, case)
            for verdict in report.verdicts
            for case in (*(finding.case_id for finding in verdict.findings), verdict.witness)
            if case and verdict.outcome not in quiet
        }
        self._left = {True: NAMED, False: OTHERS}

    def fitting(self, trace: str, seen: Observation) -> dict[str, Any] | None:
        """An exchange for the template; None if there is no room for it."""
        kind = (trace, seen.case.id) in self._named
        if self._left[kind] <= 0:
            return None
        item = _evidence(seen, _anchor(trace, seen.case.id))
        self._left[kind] -= len(item["request"]) + len(item["response"])
        return item


def _anchor(trace: str, case_id: str) -> str:
    """The id of an exchange on the page. A repetition has the same case ids as the first time."""
    return f"case-{case_id}" if scenario_of(trace) == trace else f"{trace}--{case_id}"


def _evidence(seen: Observation, anchor: str) -> dict[str, Any]:
    """One exchange, for the template."""
    case, exchange = seen.case, seen.exchange
    request, response, fault = exchange.request, exchange.response, exchange.fault
    url = urlsplit(request.url)
    status = str(exchange.status) if fault is None else f"{exchange.status or ''} {fault.kind}".strip()
    target = url.path + (f"?{url.query}" if url.query else "")
    what = f"{case.breaks.keyword} at {case.breaks.pointer or '/'}" if case.breaks else case.role
    # In the order in which they came, oldest first; the last answer is the one that was judged.
    answer = "".join(
        f"(an earlier attempt was answered with {attempt.status or 'a fault'})\n" for attempt in exchange.attempts
    )
    answer += f"{fault.kind}: {fault.message}\n" if fault else ""
    if response is not None:
        answer += f"{response.status} {response.reason}\n{_headers(response.headers)}\n\n{_body(response)}"
    return {
        "id": case.id,
        "anchor": anchor,
        "method": request.method,
        "path": url.path,
        "status": status,
        "tone": "pass" if exchange.ok else "warn",
        "family": case.family.value,
        "expect": case.expect.value,
        "what": what,
        "seconds": f"{response.elapsed:.3f}" if response else "–",
        "request": f"{request.method} {target}\n{_headers(request.headers)}\n\n{_text(request.body)}",
        "response": answer,
    }


def _headers(headers: Headers) -> str:
    """Headers as text, one in each line."""
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _body(response: Response) -> str:
    """The body of an answer as text; of a shortened one its beginning and end, and what is known of the rest."""
    told = response.shortened
    if told is None:
        return _text(response.body)
    gap = f"… {told.size} bytes, SHA-256 {told.sha256}; only the beginning and the end are kept: {told.reason} …"
    return f"{_text(response.body[: told.head])}\n{gap}\n{_text(response.body[told.head :])}"


def _text(body: bytes) -> str:
    """A body as text, cut after :data:`LONGEST` characters."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are not UTF-8 text)"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
