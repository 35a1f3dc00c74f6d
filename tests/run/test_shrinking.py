"""``--shrink N``: a smaller request that fails in the same way, for at most N requests."""

from __future__ import annotations

import pytest

from conformance.checks.catalogue import find_check
from conformance.emulator.app import App
from conformance.emulator.server import asgi, running
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case, JsonBody
from conformance.requests.shrinking import size
from conformance.run.smallest_witness import shrunk
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.target.target import Target
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
LONG = Case(
    operation="chat.completions.create",
    method="POST",
    path="/deployments/{deployment-id}/chat/completions",
    path_params={"deployment-id": "{deployment}"},
    capability="chat",
    body=JsonBody(
        {
            "messages": [
                {"role": "system", "content": "You answer in short sentences and never more than one of them."},
                {"role": "user", "content": "Tell me about the weather in Oslo in the month of May, please."},
            ],
            "max_tokens": 32,
            "temperature": 0.5,
            "user": "somebody",
        }
    ),
)


@pytest.mark.parametrize("budget", [0, 3, 40])
def test_a_smaller_request_is_found_within_the_budget(budget: int) -> None:
    check, spec, app = find_check("chat.role"), load(VERSION), App.of(VERSION)
    sent: list[int] = []

    def broken(exchange, earlier):  # type: ignore[no-untyped-def]
        sent.append(1)
        return check.counterexample(exchange, earlier) or exchange

    with running(asgi(app, broken)) as url:
        config = Config(TargetConfig(url=url, key=app.settings.key, deployments={"gpt-4o": frozenset({"chat"})}))
        with Target(config, spec) as target:
            trace = Trace("corpus.chat.completions.create", (Observation(LONG, target.send(LONG)),))
            found = list(shrunk(spec, target, [(judge(spec, check, trace), trace)], budget))
    assert budget >= len(sent) - 1
    if budget == 0:
        assert [] == found
    else:
        ((small, verdict),) = found
        assert Outcome.FAIL == verdict.outcome
        assert size(LONG) > size(small.observations[0].case)
