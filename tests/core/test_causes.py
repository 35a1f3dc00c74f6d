"""Root causes: which verdicts follow from another one, and which operations never answer successfully."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance._parts import part
from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.outline import outline_of
from conformance.evidence.trace import Observation, Trace
from conformance.judging.causes import attributed, failing_operations
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.loading import load
from conformance.verdict import Finding, Outcome, Verdict

SPEC = load("2024-05-01-preview")


def sent(operation: str, *statuses: int | None, expect: Expect = Expect.ACCEPT, outside: str = "") -> Trace:
    """The corpus of an operation with these answers."""
    seen = []
    for number, status in enumerate(statuses):
        case = Case(operation, "POST", "/x", query=(("n", str(number)),), expect=expect)
        answer = Response(status) if status is not None else None
        seen.append(Observation(case, Exchange(Request("POST", "http://t/x"), answer, outside=outside)))
    return Trace(f"corpus.{operation}", tuple(seen))


def told(what: str, status: int, glob: str = "") -> str:
    """The cause in words, with the line of the configuration that would declare it."""
    line = f'[target.unsupported] "{glob or what}" = "why it isn\'t served"'
    return f"{what}: every valid request was answered with {status}; if that is meant: {line}"


@pytest.mark.parametrize(
    ("found", "traces"),
    [
        ({"files.list": told("files.list", 500)}, [sent("files.list", 500, 500)]),
        ({"files.list": told("files.list", 400)}, [sent("files.list", 400, 400)]),
        ({}, [sent("files.list", 399, 399)]),
        ({}, [sent("files.list", 500, 200)]),
        ({}, [sent("files.list", 500, 404)]),
        ({}, [sent("files.list", 500)]),
        ({}, [sent("files.list", 200, 200)]),
        ({}, [sent("files.list", 400, 400, expect=Expect.REJECT)]),
        ({}, [sent("files.list", 401, 401, outside="the key expired")]),
        ({"files.list": told("files.list", 403)}, [sent("files.list", 403, 403, outside="refused now")]),
        (
            {
                "files.list": told("files", 404, "files.*"),
                "files.get": told("files", 404, "files.*"),
            },
            [sent("files.list", 404, 404), sent("files.get", 404, 404)],
        ),
        (
            {"files.list": told("files.list", 404)},
            [sent("files.list", 404, 404), sent("files.get", 200, 200)],
        ),
    ],
)
def test_an_operation_that_answers_nothing_well_is_one_cause(found: dict[str, str], traces: list[Trace]) -> None:
    assert found == failing_operations(SPEC, map(outline_of, traces))


def broken(check: str, *cases: str, scenario: str = "corpus.o", outcome: Outcome = Outcome.FAIL) -> Verdict:
    return Verdict(check, scenario, outcome, tuple(Finding("wrong", case) for case in cases))


def causes(*verdicts: Verdict) -> list[str]:
    return [one.cause for one in attributed(SPEC, verdicts, {}, all_checks())]


def test_what_follows_from_another_check_on_the_same_answers_names_it() -> None:
    """A body that isn't JSON can't fit its schema either: ``http.json`` entails ``schema.response``."""
    assert "schema.response" in all_checks()["http.json"].entails
    assert ["", "http.json in corpus.o"] == causes(broken("http.json", "a", "b"), broken("schema.response", "a"))


@pytest.mark.parametrize(
    "verdicts",
    [
        (broken("http.json", "a"), broken("schema.response", "a", "b")),
        (broken("http.json", "a", scenario="corpus.p"), broken("schema.response", "a")),
        (broken("http.json", "a", outcome=Outcome.PASS), broken("schema.response", "a")),
        (broken("schema.response", "a"), broken("http.request-id", "a")),
        (broken("unknown.check", "a"), broken("schema.response", "a")),
    ],
)
def test_another_answer_another_scenario_or_no_logic_is_no_cause(verdicts: tuple[Verdict, ...]) -> None:
    assert ["", ""] == causes(*verdicts)


def test_a_check_that_has_nothing_to_do_with_it_does_not_hide_the_cause() -> None:
    found = causes(broken("http.request-id", "a"), broken("http.json", "a"), broken("schema.response", "a"))
    assert ["", "", "http.json in corpus.o"] == found


def test_a_refusal_that_was_expected_has_no_dead_operation_as_its_cause() -> None:
    refused = Trace("corpus.refused", sent("files.list", 500, expect=Expect.REJECT).observations)
    traces = {trace.scenario: outline_of(trace) for trace in (refused, sent("files.list", 500, 500))}
    (verdict,) = attributed(SPEC, [broken("http.json", "a", scenario="corpus.refused")], traces, all_checks())
    assert "" == verdict.cause


def test_all_verdicts_of_a_dead_operation_name_it_and_what_passes_does_not() -> None:
    trace = sent("files.list", 500, 500)
    verdicts = [
        Verdict("http.accepted", trace.scenario, Outcome.FAIL),
        Verdict("http.json", trace.scenario, Outcome.NOT_TESTABLE),
        Verdict("http.request-id", trace.scenario, Outcome.PASS),
    ]
    dead = told("files.list", 500)
    assert [dead, dead, ""] == [
        one.cause for one in attributed(SPEC, verdicts, {trace.scenario: outline_of(trace)}, all_checks())
    ]


def test_one_cause_is_told_once_and_the_widest_first() -> None:
    """Reports group by cause: the root leads, what follows stands behind it."""
    grouped = part("reports.summary").grouped
    root = broken("http.json", "a")
    follows = [evolve(broken(name, "a"), cause="http.json in corpus.o") for name in ("schema.response", "chat.role")]
    chain = evolve(broken("chat.logprobs", "a"), cause="chat.role in corpus.o")
    alone = broken("usage.adds-up", "b")
    dead = [
        evolve(broken("http.accepted", "c", scenario=f"corpus.{n}"), cause="files: every valid request …")
        for n in "xyz"
    ]
    groups = grouped([alone, *follows, chain, root, *dead])
    assert [4, 3, 1] == [len(group) for group in groups]
    assert root == groups[0][0]


def test_mutual_entailment_keeps_one_root() -> None:
    """Where two checks entail each other, the first by name is the root: a circle would hide both."""
    rules = all_checks()
    pairs = [(a, b) for a in rules for b in rules[a].entails if a in rules[b].entails and a < b]
    for first, second in pairs:
        assert ["", f"{first} in corpus.o"] == causes(broken(first, "a"), broken(second, "a"))
        assert [f"{first} in corpus.o", ""] == causes(broken(second, "a"), broken(first, "a"))
