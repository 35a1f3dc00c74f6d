"""``explain CHECK-ID``: what a check demands, why, which rule it rests on, and what to change, by an example."""

from __future__ import annotations

import argparse
import difflib
import inspect
import json
import textwrap
from collections.abc import Iterator
from urllib.parse import urlsplit

from conformance.checks.catalogue import find_check
from conformance.evidence.exchange import Exchange
from conformance.evidence.timeline import escaped, visible
from conformance.judging.check import Check
from conformance.run.example import Example, example_of
from conformance.spec.loading import load, versions

NAME = "explain"
HELP = "explain what a check demands, why, and which documented rule it rests on, with a good and a bad answer"
ORDER = 40

#: Characters of a line, lines of the example, and earlier requests that are printed.
_WIDE, _MOST, _STEPS = 160, 40, 6


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("check", metavar="CHECK-ID", help="the id of a check, as 'list checks' prints it")
    parser.add_argument("--api-version", metavar="V", default="", help="show the example of this api-version")
    parser.add_argument("--no-example", action="store_true", help="start no emulator and show no example")


def main(args: argparse.Namespace) -> int:
    """Print the explanation."""
    check = find_check(args.check)
    for line in rule(check):
        print(line)
    if not args.no_example:
        print()
        for line in example(check, example_of(check, args.api_version)):
            print(line)
    return 0


def rule(check: Check) -> Iterator[str]:
    """Yield what a check demands, the clauses that it rests on and what proves it."""
    yield f"{check.id}  ({check.level}, judged on each {check.scope})"
    yield ""
    yield textwrap.indent(check.doc, "  ")
    yield ""
    # Versions may word a clause differently; those that agree share one paragraph.
    homes: dict[tuple[str, str, str, str], list[str]] = {}
    for version in versions():
        clause = load(version).clause_by_id.get(check.clause)
        if clause is not None:
            homes.setdefault((clause.text, clause.source, clause.keyword, clause.provenance), []).append(version)
    for (text, source, keyword, provenance), where in homes.items():
        yield f"  clause    {check.clause} ({keyword}, {provenance}): {text}"
        yield f"  source    {source}"
        yield f"  versions  {', '.join(where)}"
    yield f"  applies   operations {', '.join(check.operations)}; scenarios {', '.join(check.scenarios)}"
    if check.entails:
        yield f"  entails   (broken too, whenever this one is) {', '.join(check.entails)}"
    proof = inspect.getdoc(check.counterexample) or "Counterexample: a change of a good answer."
    yield f"  proof     {proof.splitlines()[0]} Try it: serve --break {check.id}"


def example(check: Check, found: Example | None) -> Iterator[str]:
    """Yield the lines of an example: the request, then what differs between the good and the bad answer."""
    if found is None:
        yield "  example   the emulator's answers show none"
        return
    seen, finding = found.good, found.findings[0]
    yield "What to change in your server"
    yield ""
    yield f"  {found.version}, {seen.case.operation}:"
    for step in found.before[-_STEPS:]:
        yield f"    before: {_asked(step.exchange)} -> {step.exchange.status}"
    yield f"    {_asked(seen.exchange)}"
    if seen.exchange.request.body:
        yield f"    {_cut(escaped(visible(seen.exchange.request.body.decode('utf-8', 'replace'))))}"
    yield ""
    lines = [*_difference(seen.exchange, found.bad)]
    yield "  - a correct answer, + one that breaks the rule:"
    yield from (f"    {line}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"    … and {len(lines) - _MOST} more lines"
    yield ""
    yield f"  {check.id} says of it: {_cut(escaped(visible(finding.message)))}" + (
        f" at {finding.place}" * bool(finding.place)
    )
    for name, text in (("expected", finding.expected), ("actual", finding.actual)):
        if text:
            yield f"    {name}: {_cut(escaped(visible(text)))}"


def _asked(exchange: Exchange) -> str:
    """Method and target of a request."""
    url = urlsplit(exchange.request.url)
    return f"{exchange.request.method} {url.path}" + (f"?{url.query}" if url.query else "")


def _difference(good: Exchange, bad: Exchange) -> Iterator[str]:
    """Yield the lines of two answers that differ, with three lines around each."""
    pretty = [_lines(one, parsed=True) for one in (good, bad)]
    before, after = pretty if pretty[0] != pretty[1] else [_lines(one, parsed=False) for one in (good, bad)]
    # The length follows from the content; it is shown where it is all that differs.
    plain = [[line for line in lines if not line.lower().startswith("content-length:")] for lines in (before, after)]
    if plain[0] != plain[1]:
        before, after = plain
    found = difflib.unified_diff(before, after, n=3, lineterm="")
    for line in found:
        if not line.startswith(("---", "+++", "@@")):
            yield line[0] + " " + _cut(line[1:])
        elif line.startswith("@@"):
            yield "  …"


def _lines(exchange: Exchange, *, parsed: bool) -> list[str]:
    """An answer as lines: status, headers, body. ``parsed``: JSON is laid out, else line ends of the body are shown."""
    fault = [f"({exchange.fault.kind}: {exchange.fault.message})"] if exchange.fault is not None else []
    response = exchange.response
    if response is None:
        return fault or ["(no answer)"]
    head = [f"{response.status} {response.reason}".strip(), *(f"{name}: {value}" for name, value in response.headers)]
    if parsed and response.is_json:
        body = json.dumps(response.json, indent=2, ensure_ascii=False).splitlines()
    else:
        body = response.content.decode("utf-8", "backslashreplace").splitlines(keepends=True)
    cut = [] if response.complete else ["(the answer ends here, in the middle)"]
    return [escaped(visible(line)) for line in (*head, "", *body, *cut, *fault)]


def _cut(line: str) -> str:
    """A line, cut after some characters."""
    return line if len(line) <= _WIDE else f"{line[: _WIDE - 1]}…"
