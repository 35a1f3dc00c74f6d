"""A report as a run writes it, with the verdicts that a test wants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance._parts import part
from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.outline import outline_of
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.run.conclusion import computed
from conformance.settings.scope import RunScope
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

VERSION = "2024-05-01-preview"


#: The scope of a run that leaves nothing out.
EVERYTHING = RunScope()

NO_CLAUSES: Mapping[str, str] = {}


def report(
    folder: Path,
    *verdicts: Verdict,
    version: str = VERSION,
    specs: Path | None = None,
    auth: str = "api-key",
    scope: RunScope = EVERYTHING,
    suite: str = "1.0",
    clauses: Mapping[str, str] = NO_CLAUSES,
    **target: Any,
) -> Path:
    """A run of one accepted request. ``clauses`` are those of checks, by the names of these."""
    header = {
        "api_version": version,
        "spec_digest": load(version, specs).digest,
        "target": {"url": "http://127.0.0.1:1", "auth": auth, "embedded": False, **target},
        "scope": scope.to_json(),
        "seed": 0,
        "checks": {name: {"clause": clause} for name, clause in clauses.items()},
        "suite": suite,
    }
    case = Case("embeddings.create", "POST", "/embeddings", body=JsonBody({"input": "a"}))
    request = Request("POST", "http://127.0.0.1:1/embeddings", body=b'{"input":"a"}')
    answer = Response(200, (("content-type", "application/json"),), (Chunk(0.0, b"{}"),))
    traces = [Trace("corpus.embeddings.create", (Observation(case, Exchange(request, answer)),))]
    folder.mkdir(parents=True, exist_ok=True)
    told = [_as_judged(load(version, specs), one, traces) for one in verdicts]
    shown = [*traces, *(Trace(one.scenario) for one in told if one.scenario != traces[0].scenario)]
    ended = {"finished": "2026-01-01T00:00:00Z", "ended": "", "interrupted": False, "outdated": []}
    footer = {**computed(told, [outline_of(trace) for trace in shown], ended=""), **ended}
    part("reports.jsonl").write(folder / "report.jsonl", header, shown, told, footer)
    part("reports.manifest").write(folder)
    return folder


def _as_judged(spec: Spec, verdict: Verdict, traces: list[Trace]) -> Verdict:
    """The whole verdict of the judge, where it comes to the same outcome; else the one that the test wants."""
    check = all_checks().get(verdict.check)
    again = judge(spec, check, traces[0]) if check and verdict.scenario == traces[0].scenario else verdict
    return again if again.outcome is verdict.outcome and not verdict.reason else verdict


def verdict(check: str, outcome: Outcome, scenario: str = "corpus.embeddings.create") -> Verdict:
    return Verdict(check, scenario, outcome)
