"""The emulator's streams in all their variants: all checks pass, and the openai client can read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from offline import answering, play
from openai import AzureOpenAI, OpenAI
from stream_stage import spec_of

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings, StreamFaults
from conformance.emulator.server import asgi, running
from conformance.evidence.trace import Trace
from conformance.judging.check import Check
from conformance.judging.judge import judge
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.verdict import Outcome

#: What the service really does, and what any server may do.
ODDITIES: dict[str, Settings] = {
    "plain": Settings(),
    "filter-first-off": Settings(filter_first_chunk=False),
    "asynchronous-filter": Settings(asynchronous_filter=True),
    "grouped": Settings(grouped_chunks=True),
    "crlf": Settings(faults=StreamFaults(crlf=True)),
    "comments": Settings(faults=StreamFaults(comments=True)),
    "heartbeats": Settings(faults=StreamFaults(heartbeats=True)),
    "split-code-points": Settings(faults=StreamFaults(split=True)),
    "byte-by-byte": Settings(faults=StreamFaults(drip=True)),
}

TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}},
}
HELLO: Any = [{"role": "user", "content": "Say something about the sea ☀."}]
DATED = "2024-05-01-preview"
V1 = [version for version in versions() if load(version).surface == "v1"]
#: Versions of one base path that need no api-version can't share a server: the last of them is served here.
SERVED = V1[-1:]


def scenarios() -> list[tuple[str, Scenario]]:
    return [
        (version, scenario)
        for version in versions()
        for scenario in scenarios_of(load(version), "standard")
        if scenario.id.startswith("streams.")
    ]


def bad(trace: Trace, scenario: Scenario, version: str) -> dict[str, Outcome]:
    spec = load(version)
    outcomes = {
        check.id: judge(spec, check, trace).outcome
        for check in all_checks().values()
        if check.concerns(scenario.id, scenario.operations)
    }
    return {name: outcome for name, outcome in outcomes.items() if outcome not in ("pass", "not_applicable")}


#: The oddities are shown in one version of each kind, plain streams in all.
SOME = (DATED, "2024-10-21", *V1)


def shown() -> Iterator[Any]:
    """A plain stream of each scenario in each version. Each oddity too: in all versions of the above with ``prove``,
    else in one of them, another one for the next oddity.
    """
    known = scenarios()
    for version, scenario in known:
        having = [name for name in SOME if any((name, scenario.id) == (v, s.id) for v, s in known)]
        for number, oddity in enumerate(ODDITIES if version in SOME else ("plain",)):
            chosen = oddity == "plain" or version == having[number % len(having)]
            name = f"{version}-{scenario.id}-{oddity}"
            yield pytest.param(version, scenario, oddity, id=name, marks=() if chosen else pytest.mark.prove)


@pytest.mark.parametrize(("version", "scenario", "oddity"), [*shown()])
def test_the_stream_scenarios_pass_with_every_oddity(version: str, scenario: Scenario, oddity: str) -> None:
    spec = load(version)
    app = App.of(version, settings=ODDITIES[oddity])
    assert {} == bad(play(spec, scenario, answering(app, spec)), scenario, version)


#: Checks about scenarios of their own. Those about a corpus are broken in the proofs of all checks.
CUTS = [
    check
    for check in all_checks().values()
    if check.id.startswith("stream.") and not all(name == "*" or name.startswith("corpus.") for name in check.scenarios)
]


@pytest.mark.parametrize("check", CUTS, ids=lambda check: check.id)
def test_a_scenario_fails_its_own_counterexample(check: Check) -> None:
    found: set[str] = set()
    for version, scenario in scenarios():
        if not check.concerns(scenario.id, scenario.operations):
            continue
        spec = load(version)
        answer = answering(App.of(version), spec)

        def broken(case: Any, request: Any, answer: Any = answer) -> Any:
            exchange = answer(case, request)
            return check.counterexample(exchange, []) or exchange

        failing = bad(play(spec, scenario, broken), scenario, version)
        scored = {name for name, outcome in failing.items() if outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)}
        assert scored <= {check.id, *check.entails}
        found |= scored
    assert check.id in found


@pytest.fixture(scope="module", params=[name for name in ODDITIES if name != "byte-by-byte"])
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(asgi(App.of(DATED, "2024-10-21", *SERVED, settings=ODDITIES[request.param]))) as url:
        yield url


def azure(base: str, version: str) -> AzureOpenAI:
    return AzureOpenAI(api_key="emulator-key", azure_endpoint=base, api_version=version, max_retries=0, timeout=20)


def test_the_client_reads_chat_streams(base: str) -> None:
    with azure(base, "2024-10-21") as client:
        chat = client.chat.completions
        with chat.stream(model="gpt-4o", messages=HELLO, n=2, logprobs=True) as stream:
            final = stream.get_final_completion()
        whole = chat.create(model="gpt-4o", messages=HELLO, n=2)
        assert [c.message.content for c in whole.choices] == [c.message.content for c in final.choices]
        with chat.stream(model="gpt-4o", messages=HELLO, tools=[TOOL], tool_choice="required") as stream:
            (choice,) = stream.get_final_completion().choices
        assert choice.message.tool_calls
        assert ["look_up"] == [call.function.name for call in choice.message.tool_calls]
        chunks = list(chat.create(model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}))
        assert 1 == sum(chunk.usage is not None for chunk in chunks)


def test_the_client_reads_completion_streams(base: str) -> None:
    with azure(base, DATED) as client:
        whole = client.completions.create(model="gpt-35-turbo-instruct", prompt="The sea", max_tokens=20)
        chunks = list(
            client.completions.create(model="gpt-35-turbo-instruct", prompt="The sea", max_tokens=20, stream=True)
        )
        joined = "".join(choice.text for chunk in chunks for choice in chunk.choices)
        assert whole.choices[0].text == joined != ""


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client warns of the whole surface
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_client_reads_run_streams(base: str) -> None:
    with azure(base, DATED) as client:
        assistant = client.beta.assistants.create(model="gpt-4o")
        thread = client.beta.threads.create(messages=HELLO)
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            deltas = "".join(stream.text_deltas)
            (message,) = stream.get_final_messages()
        assert message.content[0].text.value == deltas != ""  # type: ignore[union-attr]


@pytest.mark.parametrize("version", [v for v in SERVED if "responses.create" in operations_of(load(v))])
def test_the_client_reads_response_streams(base: str, version: str) -> None:
    with OpenAI(
        base_url=base + spec_of(version).base_path, api_key="emulator-key", max_retries=0, timeout=20
    ) as client:
        with client.responses.stream(model="gpt-4o", input="Say something.") as stream:
            deltas = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
            final = stream.get_final_response()
        assert final.output_text == deltas != ""


def test_a_stream_that_the_emulator_cuts_is_judged_by_its_end_alone() -> None:
    spec = load(DATED)
    app = App.of(DATED, settings=Settings(faults=StreamFaults(cut=3)))
    scenario = next(s for v, s in scenarios() if v == DATED and s.id == "streams.equality.completions")
    failing = bad(play(spec, scenario, answering(app, spec)), scenario, DATED)
    assert {"sse.ends"} == {name for name, outcome in failing.items() if outcome is Outcome.FAIL}
