"""What no deployment claims is neither asked for nor judged: the runner in front of the emulator, over sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.checks.catalogue import all_checks
from conformance.corpus.corpus import build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.emulator.server import asgi, running
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.requests.selectors import streams
from conformance.run.runner import Runner
from conformance.run.selection import items_of
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.target.journal import Journal
from conformance.target.target import Target
from conformance.verdict import Outcome

VERSION = "v1-preview"
SPEC = load(VERSION)
TRANSCRIBE = "audio.transcriptions.create"
GOOD = (Outcome.PASS, Outcome.NOT_APPLICABLE)

#: Words for the kinds of deployments alone; everything else is unclaimed.
KINDS = ("chat", "embeddings", "transcription", "speech", "images", "responses")


def whisper(exchange: Exchange, earlier: tuple[Exchange, ...]) -> Exchange:
    """A deployment of the older kind: it ignores that a stream was asked for, as the document says."""
    request = exchange.request
    if request.url.split("?", maxsplit=1)[0].endswith("/audio/transcriptions") and b'name="stream"' in request.body:
        data = json.dumps({"text": "hello"}).encode()
        return exchange.answered(Response(200, (("Content-Type", "application/json"),), (Chunk(0.0, data),)))
    return exchange


@contextmanager
def runner(folder: Path, scenarios: tuple[Scenario, ...], claims: Mapping[str, frozenset[str]]) -> Iterator[Runner]:
    """A runner of some scenarios, with all checks, in front of the emulator with the older transcriptions."""
    with running(asgi(App.of(VERSION), whisper)) as url:
        config = Config(target=TargetConfig(url=url, key="emulator-key", live=False, deployments=claims))
        with (
            Journal(folder, target=url, api_version=VERSION, sync=False) as journal,
            Target(config, SPEC, journal=journal) as target,
            Runner(SPEC, scenarios, all_checks().values(), target) as made,
        ):
            yield made


def corpora(*operations: str) -> tuple[Scenario, ...]:
    return corpus_scenarios(build_corpus(SPEC, operations=operations))


def failures(made: Runner, scenario: Scenario) -> dict[str, str]:
    """What isn't good of all that is judged in a scenario."""
    items = items_of(SPEC, (scenario,), all_checks().values())
    verdicts = [made.verdict(item.scenario, item.check.id) for item in items]
    return {verdict.check: verdict.outcome for verdict in verdicts if verdict.outcome not in GOOD}


@pytest.mark.parametrize("claimed", [False, True])
def test_a_stream_that_is_ignored_as_documented_is_held_against_those_alone_who_claim_it(
    tmp_path: Path, claimed: bool
) -> None:
    can = {"transcription", "logprobs", *(("transcription-stream",) if claimed else ())}
    (scenario,) = corpora(TRANSCRIBE)
    with runner(tmp_path, (scenario,), {"whisper": frozenset(can)}) as made:
        sent = [seen.case for seen in made.trace(scenario.id).observations]
        wrong = failures(made, scenario)
    assert claimed == any(streams(SPEC, case) for case in sent)
    assert claimed == bool(wrong), wrong
    assert len(sent) > 30


def test_deployments_that_claim_their_kind_alone_are_asked_for_nothing_else(tmp_path: Path) -> None:
    names = {kind: next(one.name for one in DEFAULT_DEPLOYMENTS if kind in one.abilities) for kind in KINDS}
    claims: dict[str, frozenset[str]] = {}
    for kind, name in names.items():
        claims[name] = claims.get(name, frozenset()) | {kind}
    operations = ("chat.completions.create", "responses.create", "audio.speech.create", "images.generations.create")
    scripts = tuple(each for each in scenarios_of(SPEC, "standard") if each.id.startswith(("streams.", "responses.")))
    scenarios = corpora(*operations, "embeddings.create") + scripts
    with runner(tmp_path, scenarios, claims) as made:
        for scenario in scenarios:
            trace = made.trace(scenario.id)
            asked = {seen.case.capability for seen in trace.observations if seen.case.capability}
            assert asked <= set(KINDS), scenario.id
            assert {} == failures(made, scenario), scenario.id
            assert trace.observations or trace.outcome is Outcome.NOT_APPLICABLE, scenario.id
