"""Runs scenarios against the emulator's application without sockets or clocks, so that the exchanges are always the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings as EmulatorSettings
from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked
from conformance.requests.case import Auth, Case
from conformance.requests.headers import redact
from conformance.requests.request import Request
from conformance.requests.wire import to_request
from conformance.run.creations import Creations
from conformance.scenarios.scenario import GiveUp, Scenario, Settings, Wait
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

#: Everything is sent, whatever comes back: a proof needs all answers.
SETTINGS = Settings(poll_interval=0.01, deadline=1.0, read_after_write=0.03, deterministic=True, give_up_after=0)

Answer = Callable[[Case, Request], Exchange]


def deployment_for(settings: EmulatorSettings, capability: str) -> str:
    """The emulator's deployment with all abilities in ``a+b``; a plain model before one that reasons."""
    wanted = frozenset(capability.split("+")) - {""}
    able = [one for one in settings.deployments if wanted <= one.abilities]
    plain = [one for one in able if "reasoning" not in one.abilities or "reasoning" in wanted]
    return (plain or able or list(settings.deployments))[0].name


def answering(app: App, spec: Spec) -> Answer:
    """What an application answers to a bound case, as evidence with secrets removed.

    Raises :class:`AssertionError` if it crashes: a mutant that does so would be found by every check, whatever it is
    about.
    """
    key = app.settings.key

    def answer(case: Case, request: Request) -> Exchange:
        secret = {Auth.VALID: key, Auth.WRONG: "a-wrong-key", Auth.NONE: ""}[case.auth]
        headers = (*request.headers, ("api-key", secret)) if secret else request.headers
        response = app.handle(evolve(request, headers=headers))
        if response.status == 500 and b"this is a bug of the emulator" in response.body:
            raise AssertionError(f"the emulator crashed at {case.operation}; its traceback is on stderr")
        if case.cancel_after is not None:
            kept = tuple(chunk for chunk in response.chunks[:1])
            response = evolve(response, chunks=kept, complete=False)
        sent = (*headers, *(() if request.header("accept-encoding") else (("accept-encoding", "identity"),)))
        return Exchange(evolve(request, headers=redact(sent, (key,))), response)

    return answer


def play(
    spec: Spec,
    scenario: Scenario,
    answer: Answer,
    settings: Settings = SETTINGS,
    wait: Callable[[float], object] = lambda seconds: None,
) -> Trace:
    """The trace of a scenario. What names an object that was not created isn't sent, as in a run.

    ``wait`` is told the seconds of each wait: a clock may advance by them.
    """
    defaults = EmulatorSettings()
    seen: list[Observation] = []
    creations, ended = Creations(), None
    script = scenario.script(spec, settings)
    exchanges: tuple[Exchange, ...] | None = None
    while True:
        try:
            step = next(script) if exchanges is None else script.send(exchanges)
        except StopIteration:
            told = (ended.reason, ended.outcome) if ended is not None else ("", None)
            return Trace(scenario.id, tuple(seen), *told)
        exchanges = ()
        if isinstance(step, Wait):
            wait(step.seconds)
        elif isinstance(step, GiveUp):
            ended = Blocked(Outcome.NOT_TESTABLE, step.reason)
        else:
            sent = []
            for case in step:
                lacking = creations.lacking(case)
                if lacking is not None:
                    creations.withheld(case, lacking)
                    sent.append(Exchange(Request(case.method, ""), fault=Fault(FaultKind.CANCELLED, "not sent", 0.0)))
                    ended = ended or Blocked(lacking.outcome, f"{lacking.reason}; {case.operation} was not sent")
                    continue
                bindings = {"deployment": deployment_for(defaults, case.capability), "run": "run0"}
                request = to_request(case, spec, origin="http://emulator", bindings=bindings)
                exchange = answer(case, request)
                creations.note(case, exchange)
                sent.append(exchange)
                seen.append(Observation(case, exchange))
            exchanges = tuple(sent)


def broken(answer: Answer, break_it: Callable[..., Exchange | None]) -> Answer:
    """The same answers, each changed by a counterexample where it applies."""
    earlier: list[Exchange] = []

    def changed(case: Case, request: Request) -> Exchange:
        good = answer(case, request)
        made = break_it(good, tuple(earlier[-200:]))
        earlier.append(good)
        return made or good

    return changed


def traces(spec: Spec, scenarios: tuple[Scenario, ...], answer: Answer) -> Iterator[Trace]:
    """The traces of several scenarios, one after the other."""
    for scenario in scenarios:
        yield play(spec, scenario, answer)
