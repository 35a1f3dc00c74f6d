"""Videos of later documents (``/videos``): the emulator of an imported one, the script of a life, and its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import offline
import pytest
from attrs import evolve
from imported import FILMS, spec_of

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.variants import wrap
from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Trace
from conformance.judging.check import Counterexample
from conformance.judging.judge import judge
from conformance.run.selection import checks_of, items_of, scenarios_in
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

LIFE = "videos.life"
CHECKS = tuple(all_checks().values())

#: What is judged of the life of a video, besides what is judged of every object.
RULES = (
    *("video.content", "video.early", "video.format", "video.deleted.films", "video.listed", "jobs.end.stays"),
    *("video.remix", "video.remix.named", "video.times", "video.progress", "video.failure", "video.object"),
    *("video.states", "state.fields"),
)


@pytest.fixture(scope="module")
def films() -> tuple[Spec, App]:
    spec = spec_of(FILMS)
    return spec, App([spec])


@pytest.fixture(scope="module")
def traces(films: tuple[Spec, App]) -> Mapping[str, Trace]:
    spec, app = films
    answer = offline.answering(app, spec)
    return {one.id: offline.play(spec, one, answer) for one in scenarios_in(spec, Options(no_cache=True))}


def test_everything_about_a_video_is_asked_for(traces: Mapping[str, Trace]) -> None:
    roles = [one.case.role for one in traces[LIFE]]
    wanted = (
        *("job.create", "early", "job.get", "content", "thumbnail", "remix", "remix.get", "listed", "delete"),
        *("gone.job", "gone.film"),
    )
    assert [*wanted] == [*dict.fromkeys(roles)]
    assert {"lifecycle.videos", "corpus.videos.create", "corpus.videos.remix"} <= set(traces)


def test_each_item_is_judged_and_passes(films: tuple[Spec, App], traces: Mapping[str, Trace]) -> None:
    """Of the emulator's answers nothing fails, and nothing can't be judged."""
    spec = films[0]
    items = items_of(spec, scenarios_in(spec, Options(no_cache=True)), checks_of(Options()))
    verdicts = {item.id: judge(spec, item.check, traces[item.scenario]) for item in items}
    assert {} == {
        name: (one.outcome, one.reason, one.findings[:1])
        for name, one in verdicts.items()
        if one.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    }
    assert set(RULES) <= {
        one.check for one in verdicts.values() if one.scenario == LIFE and one.outcome is Outcome.PASS
    }


def test_a_video_that_is_queued_again_is_reported(films: tuple[Spec, App]) -> None:
    """Once, after it was in progress."""
    spec, app = films
    states: list[str] = []

    def again(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        value = response.json if response is not None else None
        if response is None or not isinstance(value, dict) or value.get("object") != "video":
            return None
        states.append(value["status"])
        back = states[-2:] == ["in_progress", "completed"] and states.count("completed") == 1
        return exchange.answered(response.with_json({**value, "status": "queued"})) if back else None

    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.broken(offline.answering(app, spec), again))
    assert Outcome.WARN is judge(spec, all_checks()["video.states"], trace).outcome


@pytest.mark.parametrize("name", [name for name in RULES if name != "video.states"])
def test_each_rule_of_a_video_reports_its_counterexample(films: tuple[Spec, App], name: str) -> None:
    spec, app = films
    check = all_checks()[name]
    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.broken(offline.answering(app, spec), check.counterexample))
    wanted = Outcome.FAIL if check.level.value == "MUST" else Outcome.WARN
    assert wanted is judge(spec, check, trace).outcome


def test_a_video_that_fails_and_says_why_is_no_reason_for_an_alarm(films: tuple[Spec, App]) -> None:
    """The prompt or the day may be why; what only a completed video shows can't be judged then."""
    spec, app = films

    def failed(call: Call, answer: Handler) -> Response:
        video = call.store.collection("videos").get(call.path["video-id"])
        if video is not None:
            video.update(status="failed", progress=40, error={"code": "moderation_blocked", "message": "Not this."})
        return answer(call)

    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.answering(wrap(app, ("videos.get",), failed), spec))
    outcomes = {item.check.id: judge(spec, item.check, trace).outcome for item in items_of(spec, (life,), CHECKS)}
    assert {Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE} == set(outcomes.values())
    assert Outcome.PASS is outcomes["video.failure"]
    assert {"failed"} == {one.json["status"] for one in trace.role("job.get")}


def test_a_film_that_is_cut_off_is_no_empty_film(films: tuple[Spec, App]) -> None:
    """A target may send the head at once and the film when it is ready; how that ended is judged elsewhere."""

    def slow(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        if exchange.ok or not exchange.request.url.split("?")[0].endswith("/content"):
            return None
        head = Response(200, (("content-type", "video/mp4"),), complete=False)
        return evolve(exchange, response=head, fault=Fault(FaultKind.READ_TIMEOUT, "no more came", 60.0))

    assert Outcome.FAIL is not judged_with(films, "video.early", slow)


@pytest.mark.parametrize(("wanted", "back"), [(Outcome.PASS, False), (Outcome.WARN, True)])
def test_a_list_may_begin_with_the_oldest_videos(films: tuple[Spec, App], wanted: Outcome, back: bool) -> None:
    """Then those of this run come on a later page. Where newer ones come first, they must be before older ones."""

    def crowded(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        value = response.json if response is not None and exchange.ok else None
        if response is None or not isinstance(value, dict) or not isinstance(value.get("data"), list):
            return None
        olds = [{**value["data"][0], "id": f"video_{number}", "created_at": 1_000 + number} for number in range(100)]
        data = olds[::-1] if back else olds
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return exchange.answered(response.with_json({**value, **ends, "data": data, "has_more": True}))

    outcome = judged_with(films, "video.listed", crowded)
    assert (wanted is Outcome.WARN) == (outcome is Outcome.WARN)


def judged_with(films: tuple[Spec, App], check: str, change: Counterexample) -> Outcome:
    """The outcome of a check where answers of a video's life are changed."""
    spec, app = films
    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.broken(offline.answering(app, spec), change))
    return judge(spec, all_checks()[check], trace).outcome


def test_all_that_a_life_creates_can_be_removed(traces: Mapping[str, Trace]) -> None:
    made = [one.case for one in traces[LIFE] if one.case.operation in ("videos.create", "videos.remix")]
    assert ["videos.delete"] * 2 == [case.undo.operation for case in made if case.undo is not None]
    assert {"video"} == {case.expensive for case in made}
    assert all(case.cost.seconds > 0 for case in made)
