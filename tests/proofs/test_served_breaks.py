"""Every MUST rule, broken by a server on a socket: the run reports that rule and nothing that it doesn't entail."""

from __future__ import annotations

from pathlib import Path

import pytest
from imported import specs_of
from proof_stage import Broken, Stage, first_stage, shows, unproven
from served import CANARY, command, serving

from conformance._parts import part
from conformance.checks.catalogue import all_checks
from conformance.judging.check import Check
from conformance.run.choice import choose
from conformance.run.selection import checks_of
from conformance.run.session import Session
from conformance.settings.options import Options
from conformance.verdict import Level, Outcome

MUSTS = tuple(check for check in all_checks().values() if check.level is Level.MUST)

#: The checks of the ordinary tests: of a header, a body, a stream and a walk.
SAMPLE = ("http.media-type", "embeddings.count", "sse.done.last", "lifecycle.deleted.gone")


def scene(check: Check) -> tuple[Stage, Broken]:
    """The smallest scenario in which a check's counterexample shows, by the offline walk."""
    stage = first_stage(check)
    shown = stage.broken(check) if stage else ()
    found = next((one for one in shown if shows(check, one.verdicts.get(check.id))), None)
    if stage is None or found is None:
        pytest.fail(unproven(check), pytrace=False)
    return stage, found


@pytest.mark.parametrize("check", [all_checks()[name] for name in SAMPLE], ids=lambda check: check.id)
def test_run_notices_a_broken_rule(check: Check, tmp_path: Path) -> None:
    """``serve --break C`` and ``run`` against it, as typed by a person: exit 1, C failed with evidence."""
    stage, found = scene(check)
    version = stage.spec.version
    with serving(tmp_path, "--api-version", version, "--break", check.id) as url:
        words = (
            "--target",
            url,
            "--api-version",
            version,
            "--scenario",
            found.scenario,
            "--out",
            str(tmp_path / "out"),
        )
        done = command(tmp_path, "run", *words, "--concurrency", "1")
    assert 1 == done.code, done.out + done.err
    report = part("reports.jsonl").read(tmp_path / "out" / version)
    failed = {verdict.check: verdict for verdict in report.verdicts if verdict.outcome is Outcome.FAIL}
    assert check.id in failed
    assert {seen.case.id for trace in report.traces.values() for seen in trace} >= {
        finding.case_id for finding in failed[check.id].findings
    }
    assert set(failed) <= {check.id, *check.entails}
    assert "not conformant" in done.out


@pytest.mark.prove
@pytest.mark.parametrize("check", MUSTS, ids=lambda check: check.id)
def test_session_notices_a_broken_rule(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for every MUST check, with the session that ``run`` is a front of."""
    stage, found = scene(check)
    version = stage.spec.version
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    specs = specs_of(version)
    with serving(
        tmp_path, "--api-version", version, "--break", check.id, *(("--specs", str(specs)) if specs else ())
    ) as url:
        options = Options(
            target=url, api_versions=(version,), scenarios=(found.scenario,), concurrency=1, out=tmp_path / "out",
            specs=specs,
        )  # fmt: skip
        assert len(all_checks()) == len(checks_of(options))
        (chosen,) = choose(options)
        session = Session.open([chosen])
        try:
            session.start()
            verdicts = [session.verdict(item) for item in chosen.items]
        finally:
            session.close()
    failed = {verdict.check: verdict for verdict in verdicts if verdict.outcome in (Outcome.FAIL, Outcome.ERROR)}
    others = {name: [f.message for f in one.findings[:2]] for name, one in failed.items() if name != check.id}
    assert check.id in failed, [str(verdict) for verdict in verdicts if verdict.check == check.id]
    assert failed[check.id].findings
    assert set(others) <= set(check.entails), others
    assert 1 == session.exit_code, {verdict.outcome for verdict in verdicts}
