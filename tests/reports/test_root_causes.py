"""What a reader sees first: causes, the worst and widest first, and a table in which each verdict is counted once."""

from __future__ import annotations

from collections import Counter

from attrs import evolve
from test_headline import report_of
from test_reports import observation

from conformance._parts import part
from conformance.checks.catalogue import all_checks
from conformance.verdict import Finding, Level, Outcome, Verdict

causes = part("reports.root_causes")
matrix = part("reports.matrix")

REFUSED = 'files: every valid request was answered with 404; if that is meant: [target.unsupported] "files.*" = "why"'


def failed(check: str, scenario: str, outcome: Outcome = Outcome.FAIL, **more: object) -> Verdict:
    finding = Finding("wrong", observation({"n": scenario}).case.id)
    return evolve(Verdict(check, scenario, outcome, (finding,), 1), **more)  # type: ignore[arg-type]


def test_one_rule_that_is_broken_in_many_scenarios_is_one_cause() -> None:
    """And what follows from it in each of them belongs to it."""
    roots = [failed("a.check", f"corpus.{n}") for n in range(3)]
    follows = failed("b.check", "corpus.1", cause="a.check in corpus.1")
    (cause,) = causes.root_causes(report_of([*roots, follows]))
    assert ("t", 4, ("a.check", "b.check"), 3) == (cause.title, len(cause.verdicts), cause.checks, cause.requests)
    assert "a.check" == cause.verdicts[0].check


def test_a_resource_that_refuses_everything_is_one_cause_with_the_line_that_declares_it() -> None:
    refused = [failed("http.accepted", f"corpus.files.{name}", cause=REFUSED) for name in ("list", "get")]
    untried = [Verdict("c", "corpus.files.get", Outcome.NOT_TESTABLE, reason="needs a success", cause=REFUSED)]
    (cause,) = causes.root_causes(report_of([*refused, *untried]))
    assert ("files: every valid request was answered with 404", 3) == (cause.title, len(cause.verdicts))
    assert '[target.unsupported] "files.*" = "why"' in cause.remedy


def test_resources_that_are_claimed_and_not_served_are_one_cause_with_a_line_for_each() -> None:
    """The findings say what to do."""
    said = 'images is claimed and not served; if that is meant: [target.unsupported] "images.*" = "why"'
    first = failed("claims.served", "resource.images", findings=(Finding(said, "0" * 12),))
    second = failed("claims.served", "resource.files", findings=(Finding(said.replace("images", "files"), "0" * 12),))
    (cause,) = causes.root_causes(report_of([first, second]))
    assert "files is claimed and not served; so it is with images" == cause.title
    assert cause.remedy.endswith('[target.unsupported] "files.*" = "why", "images.*" = "why"')


def test_causes_are_sorted_by_weight_and_then_by_width() -> None:
    verdicts = [
        *(failed("warns.wide", f"corpus.{n}", Outcome.WARN) for n in range(5)),
        failed("fails.once", "corpus.0"),
        *(failed("fails.twice", f"corpus.{n}") for n in range(2)),
        Verdict("d", "corpus.9", Outcome.NOT_TESTABLE, reason="no key"),
    ]
    found = causes.root_causes(report_of(verdicts))
    assert ["fails.twice", "fails.once", "warns.wide", "d"] == [cause.verdicts[0].check for cause in found]
    assert len(verdicts) == sum(len(cause.verdicts) for cause in found)


def test_a_reason_that_names_another_operation_each_time_is_one_cause() -> None:
    """And an operation of which nothing was sent is named all the same."""
    reason = "the budget of 9 requests is used up; {} was not sent"
    unsent = [
        Verdict("a.check", f"corpus.{name}", Outcome.INCONCLUSIVE, reason=reason.format(name))
        for name in ("files.list", "chat.completions.create")
    ]
    report = evolve(report_of(unsent), traces={})
    (cause,) = causes.root_causes(report)
    assert "the budget of 9 requests is used up" == cause.title
    assert ("chat.completions.create", "files.list") == cause.operations


def test_the_level_is_that_of_the_finding() -> None:
    """``WARN … (MUST)`` contradicts itself: a check that must hold can have a softer finding."""
    checks = {"c": {"level": "MUST"}}
    softer = Finding("m", "0" * 12, level=Level.SHOULD)
    by_outcome = Finding("m", "0" * 12, outcome=Outcome.WARN)
    told = [
        causes.level_of(Verdict("c", "s", Outcome.WARN, (one,)), one, checks)
        for one in (softer, by_outcome, Finding("m", "0" * 12, note=True), Finding("m", "0" * 12), None)
    ]
    assert ["SHOULD", "SHOULD", "OBS", "MUST", "MUST"] == told


def test_each_verdict_is_in_one_cell() -> None:
    verdicts = [failed("a.check", "corpus.files.list"), Verdict("b.check", "lifecycle.files", Outcome.PASS)]
    cells = matrix.matrix(report_of(verdicts))
    assert Counter({Outcome.FAIL: 1, Outcome.PASS: 1}) == sum((Counter(c.counts) for c in cells.values()), Counter())
    assert {Outcome.FAIL, Outcome.PASS} == {cell.worst for cell in cells.values()}


def test_a_verdict_belongs_to_the_operation_of_its_finding() -> None:
    ((_, place),) = matrix.places(report_of([failed("a.check", "lifecycle.files")]))
    assert ("o", "o", "a") == (place.operation, place.group, place.area)


def test_every_check_has_the_area_of_its_folder() -> None:
    areas = {check.area for check in all_checks().values()}
    assert "" not in areas
    assert {"http", "streams", "objects"} <= areas
