"""Explains one verdict: what was expected, what came, the clause, the case, and how to reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from conformance.evidence.timeline import escaped
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import RECORDED
from conformance.verdict import Finding, Verdict

from .curl import content_of, curl
from .root_causes import level_of

__all__ = ["again", "content_of", "curl", "explain", "heading", "request_ids", "short", "witness"]

#: Response headers that the service's support asks for.
REQUEST_IDS = ("apim-request-id", "x-request-id", "x-ms-client-request-id")


def request_ids(seen: Observation) -> str:
    """The request ids of an answer, each as ``name=value``."""
    response = seen.exchange.response
    pairs = ((name, response.header(name)) for name in REQUEST_IDS) if response else ()
    return " ".join(f"{name}={value}" for name, value in pairs if value)


def _scores(finding: Finding, verdict: Verdict) -> bool:
    """True for a finding that led to the verdict's outcome."""
    return not finding.note and (finding.outcome is None or finding.outcome is verdict.outcome)


def witness(verdict: Verdict, trace: Trace) -> tuple[Finding, Observation | None, int] | None:
    """The finding with the smallest request, its observation, and the number of other findings; None without
    findings.
    """
    seen = {item.case.id: item for item in trace}
    scored = [finding for finding in verdict.findings if _scores(finding, verdict)]
    if not scored:
        return None

    def size(finding: Finding) -> tuple[int, int, str]:
        item = seen.get(finding.case_id)
        length = len(item.exchange.request.body) + len(item.exchange.request.url) if item else 1 << 30
        return (finding.level is not None, length, finding.case_id)

    best = min(scored, key=size)
    cases = {finding.case_id for finding in scored}
    return best, seen.get(best.case_id), len(cases) - 1


def explain(
    verdict: Verdict, trace: Trace, checks: Mapping[str, Mapping[str, str]], *, run_dir: str, auth: str = "api-key"
) -> Iterator[str]:
    """Yield about ten lines on one verdict. Control characters are escaped, because a target could steer the terminal
    by them.
    """
    for line in _explained(verdict, trace, checks, run_dir=run_dir, auth=auth):
        yield escaped(line)


def _explained(
    verdict: Verdict, trace: Trace, checks: Mapping[str, Mapping[str, str]], *, run_dir: str, auth: str
) -> Iterator[str]:
    """Yield the lines before they are escaped."""
    info = checks.get(verdict.check, {})
    found = witness(verdict, trace)
    yield heading(verdict, found[0] if found else None, checks)
    if info.get("title"):
        yield f"  rule      {info['title']}"
    if info.get("clause"):
        source = f" [{info['source']}]" if info.get("source") else ""
        yield f"  clause    {info['clause']}: {info.get('clause_text', '')}{source}"
    if verdict.cause:
        yield f"  cause     {verdict.cause}"
    if verdict.stability and verdict.stable is not False:
        yield f"  repeated  {verdict.stability}"
    if verdict.coverage:
        yield f"  coverage  {verdict.coverage}"
    if found is None:
        yield f"  reason    {verdict.reason or 'none given'}"
        return
    yield from _found(verdict, *found, run_dir=run_dir, auth=auth)


def heading(verdict: Verdict, finding: Finding | None, checks: Mapping[str, Mapping[str, str]]) -> str:
    """The first line about a verdict, with the level of the finding that is shown: a finding may be softer than its
    check.
    """
    known = level_of(verdict, finding, checks) if finding is not None else ""
    level = f" ({known})" if known else ""
    shaky = f", {verdict.stability}" if verdict.stable is False else ""
    return f"{verdict.outcome.value.upper()} {verdict.check}{level} in {verdict.scenario}{shaky}"


def _found(
    verdict: Verdict, finding: Finding, seen: Observation | None, more: int, *, run_dir: str, auth: str
) -> Iterator[str]:
    """Yield the lines on what was found: one finding, its exchange, and the number of other findings."""
    yield f"  found     {finding.message}" + (f" at {finding.place}" if finding.place else "")
    if finding.expected:
        yield f"  expected  {short(finding.expected)}"
    if finding.actual:
        yield f"  actual    {short(finding.actual)}"
    if verdict.errata:
        yield f"  erratum   rests on {', '.join(verdict.errata)}"
    also = f" and {more} more cases" if more else ""
    yield f"  case      {finding.case_id}{also}"
    if seen is not None:
        yield f"  request   {seen.case.operation}: {seen.exchange.request.method} {_path(seen)} -> {_status(seen)}"
        ids = request_ids(seen)
        if ids:
            yield f"  support   {ids}"
        if verdict.scenario.startswith(RECORDED):
            yield f"  recorded  {seen.case.step}"
            return
        yield f"  again     {again(verdict, seen, run_dir, auth)}"


def again(verdict: Verdict, seen: Observation, run_dir: str, auth: str, *, longest: int = 1 << 20) -> str:
    """The command that sends the request of a finding again: curl if one line of at most ``longest`` characters is
    enough, else ``replay``.
    """
    # Scenarios of lists and lifecycles first make the objects that their requests are about.
    alone = not verdict.scenario.startswith(("lists.", "lifecycle."))
    content = content_of(seen.case.id, verdict.evidence, run_dir)
    command = curl(seen, auth=auth, content=content) if alone else None
    if command is not None and len(command) <= longest:
        return command
    return f"aoai-conformance replay {seen.case.id} --run {shlex.quote(run_dir)}"


def short(text: str, most: int = 300) -> str:
    """A text in one line, cut after some characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _path(seen: Observation) -> str:
    """The path of a request."""
    return urlsplit(seen.exchange.request.url).path


def _status(seen: Observation) -> str:
    """The status of an answer, or the fault."""
    if seen.exchange.fault is not None:
        return f"{seen.exchange.fault.kind}"
    return str(seen.exchange.status)
