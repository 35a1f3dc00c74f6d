"""Wire cases: small precise answers that a target gives, each with the verdict that a run must reach.

A kind of defect is a module in ``kinds``. It holds our own miniatures, which stand alone, and builds the same traces
from the examples of the shared file where that lies beside the checkout.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import field, frozen
from wild_answers import DATED, Wild, observed, spec_of

from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Chunk, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.verdict import Outcome, Verdict

#: The shared examples, beside the checkout.
SHARED = (
    Path(os.environ.get("AOAI_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "cases" / "wire-cases.json"
)

Example = Mapping[str, Any]
#: (version, trace): what was asked and answered.
Played = tuple[str, Trace]


#: Shared cases about more than one answer's bytes → the test that holds them, or why none does yet.
ELSEWHERE = {
    "keep-alive-that-dies": "tests/target/test_control.py: a control request has a connection of its own",
    "close-unsaid-after-500": "tests/target/test_control.py, tests/judging/test_blocking.py: closed connections",
    "one-500-hides-the-rest": "tests/judging/test_folding.py: a finding is not hidden by what can't be judged",
    "silent-under-load": "tests/target/test_faults.py: what was silent among others is sent again alone",
    "token-expires-in-mid-run": "tests/target/test_account.py: a credential that was accepted before",
    "key-with-a-newline-inside": "tests/run/test_config.py: keys that no header can carry",
    "hashed-id-is-requested": "tests/target/test_foreign.py: ids of models stay",
    "unsupported-means-the-resource": "tests/run/test_claims.py: globs of what is not served",
    "no-setup-of-the-unclaimed": "tests/run/test_claims.py: requests of a set-up",
    "stream-ignored-as-documented": "deployments declare transcription-stream; others are not asked (strategies)",
    "model-of-another-maker": "contested: a document of the service says that created is constant",
}


@frozen
class WireCase:
    """One case. ``expected`` is ``fail``, ``warn``, ``note`` or ``quiet``.

    ``told`` maps the checks that must report it to words of the message that name the cause. ``near`` are examples that
    differ in what makes the case wrong, and must be quiet.
    """

    id: str
    expected: str
    build: Callable[[Example], Played]
    example: Example
    told: Mapping[str, str] = field(factory=dict)
    near: Sequence[Example] = ()


def lines(*events: Any, done: bool = True) -> str:
    """Events as text: JSON values, or text that stands as it is."""
    made = [f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in events]
    return "".join(made) + ("data: [DONE]\n\n" if done else "")


def answer(example: Example) -> Response:
    """The answer that an example shows: ``status``, ``headers`` and ``body`` (a text, or a JSON value)."""
    body = example.get("body", "")
    data = bytes.fromhex(example["body_hex"]) if "body_hex" in example else None
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "application/json" if isinstance(body, Mapping) else "text/event-stream"
    headers = tuple((name, value) for name, value in example.get("headers", [["Content-Type", kind]]))
    return Response(example.get("status", 200), headers, (Chunk(0.0, text.encode() if data is None else data),))


def exchanged(operation: str, asked: Any, response: Response, version: str = DATED, **more: Any) -> Observation:
    """One exchange: a request with a body, and its answer."""
    return observed(Wild("", "", operation, asked, bad=response, version=version, more=more), response)


def played(*seen: Observation, version: str = DATED, scenario: str = "corpus.wire") -> Played:
    """A trace of exchanges."""
    return version, Trace(scenario, seen)


def verdicts(case_played: Played) -> dict[str, Verdict]:
    """What each check says of a trace, if it has anything to say."""
    version, trace = case_played
    spec = spec_of(version)
    operations = {seen.case.operation for seen in trace}
    found = {}
    for check in all_checks().values():
        if check.concerns(trace.scenario, operations):
            verdict = judge(spec, check, trace)
            if verdict.findings or verdict.outcome is Outcome.ERROR:
                found[check.id] = verdict
    return found


def scored(case_played: Played) -> dict[str, str]:
    """The checks that fail or warn, with the first message."""
    bad = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    return {
        name: f"{one.outcome}: {one.findings[0].message if one.findings else one.reason}"
        for name, one in verdicts(case_played).items()
        if one.outcome in bad
    }


@cache
def wire_cases() -> Mapping[str, WireCase]:
    """All cases of ``kinds``, by id."""
    found: dict[str, WireCase] = {}
    folder = Path(__file__).parent / "kinds"
    for info in sorted(pkgutil.iter_modules([str(folder)]), key=lambda info: info.name):
        for case in importlib.import_module(f"kinds.{info.name}").CASES:
            found[case.id] = case
    return found


@cache
def shared_cases() -> Mapping[str, Mapping[str, Any]]:
    """The cases of the shared file by id; empty where it is absent."""
    if not SHARED.is_file():
        return {}
    return {case["id"]: case for case in json.loads(SHARED.read_text(encoding="utf-8"))["cases"]}
