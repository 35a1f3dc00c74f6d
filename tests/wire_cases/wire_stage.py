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


#: Shared cases about more than one answer's bytes → the tests that hold them, as ``file::function`` below ``tests``.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "keep-alive-that-dies": (
        "whole_runs/test_connections.py::test_connections_that_die_without_a_word_change_no_verdict",
        "target/test_account.py::test_a_control_request_never_meets_a_connection_that_its_server_is_closing",
    ),
    "close-unsaid-after-500": (
        "whole_runs/test_connections.py::test_a_500_after_which_the_server_hangs_up_is_the_only_finding",
        "run/test_equal_runs.py::test_a_server_that_closes_after_each_500_gets_the_same_verdicts_each_time",
    ),
    "one-500-hides-the-rest": (
        "judging/test_folding.py::test_a_finding_stands_beside_what_could_not_be_judged",
        "whole_runs/test_broken_gateway.py::test_the_other_answers_are_told_beside_the_500",
    ),
    "silent-under-load": (
        "target/test_account.py::test_what_was_silent_beside_others_is_asked_again_alone",
        "run/test_retry_notes.py::test_a_target_that_answers_one_request_at_a_time_is_told_as_one_that_queues",
    ),
    "token-expires-in-mid-run": (
        "whole_runs/test_tokens.py::test_without_a_new_token_the_rest_is_not_judged_and_nothing_fails",
        "whole_runs/test_tokens.py::test_a_token_that_is_written_anew_is_read_and_nothing_is_lost",
    ),
    "key-with-a-newline-inside": (
        "e2e/test_canary.py::test_a_key_that_http_can_not_carry_is_a_mistake_that_is_not_printed",
    ),
    "hashed-id-is-requested": ("whole_runs/test_foreign_ids.py::test_a_model_of_a_live_account_is_read_by_its_own_id",),
    "unsupported-means-the-resource": (
        "run/test_preflight.py::test_a_listed_resource_is_not_held_against_the_target_whatever_its_form",
        "whole_runs/test_unsupported.py::test_an_unclaimed_resource_is_not_touched",
    ),
    "no-setup-of-the-unclaimed": ("whole_runs/test_unsupported.py::test_an_unclaimed_resource_is_not_touched",),
    "stream-ignored-as-documented": (
        "run/test_unclaimed.py::test_a_stream_that_is_ignored_as_documented_is_held_against_those_alone_who_claim_it",
    ),
    # Contested: a document of the service says that created is constant. With another maker's model it is a note.
    "model-of-another-maker": (
        "recordings/test_recorded_facts.py::test_what_the_service_was_recorded_to_send_is_quiet",
    ),
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
