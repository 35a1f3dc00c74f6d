"""A gateway from the options to the passages: its upstream, both legs, what is sent.

The credential of a client belongs to the gateway. It is never sent to an upstream that isn't ours, which has a key of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, frozen

from conformance.corpus.corpus import build_corpus
from conformance.emulator.behaviour import Deployment, Settings
from conformance.emulator.fault_script import faults
from conformance.errors import UsageError
from conformance.gateway.cases import Selected, plain_and_streamed, selected
from conformance.gateway.session import Passed, pass_through, wait_for
from conformance.gateway.stories import stories, told
from conformance.gateway.upstream import Upstream, upstream
from conformance.gateway.windows import Windows
from conformance.run.scenario_settings import settings_of
from conformance.run.selection import scenarios_in
from conformance.settings.configuration import Config, usable_key
from conformance.settings.form import EXPENSIVE_KINDS
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.target import Target

__all__ = ["Plan", "certified"]


@frozen
class Plan:
    """What is certified, and how. ``config`` names the gateway as target, ``options`` say what is sent.

    ``url`` is a real upstream with the key in the environment variable ``key_env``; "" is the recording emulator on
    ``host`` and ``port``, which writes to ``record`` if that is given. ``wait`` are the seconds for which the gateway
    may start, ``patience`` those for which it may refuse healthy requests. ``parallel`` is the number of
    requests under way at once.
    """

    spec: Spec
    config: Config
    options: Options
    url: str = ""
    key_env: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    record: Path | None = None
    wait: float = 60.0
    patience: float = 30.0
    parallel: int = 1


def certified(
    plan: Plan, env: Mapping[str, str], say: Callable[[str], None], tell: Callable[[int, int], None]
) -> Passed:
    """Send everything and return what came of it. ``say`` gets lines for people, ``tell`` the progress (done, of).

    Raises :class:`UsageError` if nothing is left to send, the upstream can't be opened or its key is missing, and
    :class:`~conformance.errors.Unreachable` if nobody answers at the gateway's URL.
    """
    chosen = _chosen(plan)
    probe = next((case for case in plain_and_streamed(chosen.cases) if case is not None), None)
    with ExitStack() as running:
        above = None if plan.url else running.enter_context(_upstream(plan))
        through = _through(plan, ours=above is not None)
        journal = running.enter_context(_journal(plan)) if above is not None else None
        gateway = running.enter_context(Target(through, plan.spec, journal=journal))
        direct = running.enter_context(Target(_direct(plan, through, above, env), plan.spec))
        if above is not None and probe is not None:
            for line in above.told(gateway.bindings(probe).get("deployment", ""), plan.spec.version):
                say(line)
        first = wait_for(gateway, probe, plan.wait) if probe is not None else None
        alive = first is None or first.ok
        if first is not None and not alive:
            say(f"no valid request succeeded in {plan.wait:g} s, the last answer was {first.status}")
            say(f"  {plan.config.target.key_env} is the key of a client of the gateway; all is judged as it is")
        windows = _windows(plan, gateway, above)
        settings = settings_of(gateway, plan.options.profile)
        lives = stories(scenarios_in(plan.spec, plan.options)) if above is not None else ()
        passed = pass_through(
            windows,
            direct,
            chosen.cases,
            patience=plan.patience,
            script=faults(),
            stories=(told(one, plan.spec, windows, settings) for one in lives),
            alive=alive,
            parallel=plan.parallel,
            tell=tell,
        )
    passed.notes.extend(f"{count} requests were not sent: {why}" for why, count in chosen.left_out.items())
    passed.notes.extend(f"{count} requests were withheld: {why}" for why, count in passed.withheld.items())
    return passed


def _chosen(plan: Plan) -> Selected:
    # Nothing costs anything at an upstream of our own.
    expensive = plan.config.budget.expensive if plan.url else frozenset(EXPENSIVE_KINDS)
    corpus = build_corpus(plan.spec, plan.options.profile, plan.options.seed)
    chosen = selected(corpus, plan.options.operations, expensive)
    if not chosen.cases:
        raise UsageError("no request is left to send", hint="see: list operations")
    return chosen


def _upstream(plan: Plan) -> AbstractContextManager[Upstream]:
    """The recording upstream, with the deployments that the configuration names."""
    target = plan.config.target
    named = tuple(Deployment(name, name, frozenset(can)) for name, can in target.deployments.items())
    settings = Settings(deployments=named, varied=True, seed=str(plan.options.seed))
    keys = (target.key,) if target.key else ()
    return upstream([plan.spec], settings, host=plan.host, port=plan.port, file=plan.record, keys=keys)


def _through(plan: Plan, *, ours: bool) -> Config:
    """The configuration for the leg through the gateway: each request is sent once."""
    target = plan.config.target
    return evolve(plan.config, target=evolve(target, retries=0, live=False if ours else target.live))


def _direct(plan: Plan, through: Config, above: Upstream | None, env: Mapping[str, str]) -> Config:
    """The configuration for the leg without the gateway: without its headers, with the upstream's own key."""
    target = evolve(through.target, headers={}, base_path=None)
    if above is not None:
        return evolve(through, target=target.at_emulator(above.url, above.key))
    where = f"the environment variable {plan.key_env}"
    key = usable_key(env.get(plan.key_env, ""), where)
    if not key:
        raise UsageError(f"no key for the upstream: {where} is not set", hint="set it, or name one: --upstream-key-env")
    return evolve(through, target=evolve(target, url=plan.url, auth="api-key", key=key, key_file="", token_command=""))


@contextmanager
def _journal(plan: Plan) -> Iterator[Journal]:
    """A journal that is forgotten at the end: what it names ends with the upstream."""
    with TemporaryDirectory() as folder:
        made = Journal(
            Path(folder), target=plan.config.target.url, api_version=plan.spec.version, sync=False, embedded=True
        )
        with made:
            yield made


def _windows(plan: Plan, gateway: Target, above: Upstream | None) -> Windows:
    """The windows. Requests that waited for the gateway belong to none of them."""
    if above is None:
        return Windows(gateway, None)
    key = plan.config.target.key
    secret = above.tape.digest(key) if key and key != above.key else ""
    windows = Windows(gateway, above.tape, secret=secret, upstream=above.authority)
    windows.skip()
    return windows
