"""A run that is divided among processes: its parts together are the whole, and their merge is the same report."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from served import CANARY, PATIENCE, Done, command, environment, words
from whole_run import KEY, Reply, Server, serving

from conformance._parts import part
from conformance.errors import UsageError
from conformance.requests.case import Auth
from conformance.requests.request import Request
from conformance.run.process import Process
from conformance.run.selection import scenarios_in
from conformance.scenarios.shards import Shard, divided
from conformance.settings.configuration import Budget, Config
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.target.limits import NOTHING, WRONG_KEY_PROBES

VERSION = "2024-05-01-preview"

#: Corpora and scripts, those that create objects among them; so many that four shards have something to do.
SCENARIOS = (
    "corpus.embeddings.create",
    "corpus.assistants.list",
    "corpus.assistants.get",
    "corpus.threads.create",
    "lifecycle.assistants",
    "lifecycle.threads",
)
SHARDS = 4

#: What differs between two runs: ids of objects, digests, times, and the number of a port.
DIFFERS = re.compile(
    r"[a-z]+[_-][0-9A-Za-z]{16,}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}|\d{4}-\d\d-\d\dT[\d:]+Z|\b1[6-9]\d{8}\b|\btime=.[\d.]+."
)


@pytest.mark.parametrize("text", ["4/3", "0/3", "1", "a/b", "1/0", "-1/2", "1/2/3", "²/3", "1/" + "9" * 5000])
def test_a_shard_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        Shard.parse(text)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shards_are_disjoint_complete_and_of_like_size(n: int) -> None:
    """No shard has more requests than another one by more than the largest scenario, because it is never divided."""
    every = scenarios_in(load(VERSION), Options())
    parts = [scenarios_in(load(VERSION), Options(shard=f"{k}/{n}")) for k in range(1, n + 1)]
    assert sorted(one.id for one in every) == sorted(one.id for part in parts for one in part)
    sizes = [sum(one.requests for one in part) for part in parts]
    assert max(sizes) - min(sizes) <= max(one.requests for one in every)


def test_more_shards_than_scenarios_leave_the_last_ones_empty() -> None:
    """The work depends on the scenarios, not on the number of shards that somebody types."""
    every = scenarios_in(load(VERSION), Options())
    n = 10**9 - 1
    assert {1: True, n: False} == {k: bool(Shard.parse(f"{k}/{n}").of(every)) for k in (1, n)}


def test_all_wrong_keys_are_in_the_first_shard_which_alone_may_send_them() -> None:
    """An account may be locked after a few wrong keys, so no two processes may send them without knowing it."""
    every = scenarios_in(load(VERSION), Options())
    locks = {one.id for one in every if any(case.auth is Auth.WRONG for case in one.cases)}
    assert {1} == {divided(every, 5)[name] for name in locks}
    most = [Process(shard=Shard(k, 5)).allowance(Config(), NOTHING, float("inf"))._most_wrong_keys for k in range(1, 6)]
    assert [WRONG_KEY_PROBES, 0, 0, 0, 0] == most


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_the_caps_of_all_shards_add_up_to_at_most_the_budget(n: int) -> None:
    part = Budget(requests=100, tokens=1001, images=5, seconds=2.0).divided(n)
    assert (100, 1001, 5) >= ((part.requests or 0) * n, (part.tokens or 0) * n, (part.images or 0) * n)
    assert part.requests == 100 // n
    assert 2.0 == pytest.approx((part.seconds or 0) * n)
    flying = [Process(shard=Shard(k + 1, n)).in_flight(Options(concurrency=8), live=True) for k in range(n)]
    assert sum(flying) <= 8


def a_fault(request: Request, number: int) -> Reply | None:
    """One of the operations is broken: a list that is no list."""
    return Reply(200, b'{"object":"list"}') if request.method == "GET" and "/assistants?" in request.url else None


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[str, Server]]:
    """The emulator with one broken operation, and no key of its own in the reports."""
    with serving(VERSION, a_fault) as found:
        yield found


def judged(state: Path, url: str, name: str, *more: str) -> Done:
    arguments = [
        "run",
        "--target",
        url,
        "--api-version",
        VERSION,
        "--profile",
        "smoke",
        "--out",
        str(state / name),
        *more,
    ]
    return command(state, *arguments, *(f"--scenario={one}" for one in SCENARIOS), env={"AZURE_OPENAI_API_KEY": KEY})


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, target: tuple[str, Server]) -> Path:
    """A whole run, the same in four shards at the same time, and their merge."""
    made = tmp_path_factory.mktemp("shards")
    url = target[0]
    with ThreadPoolExecutor(SHARDS) as pool:
        parts = pool.map(lambda k: judged(made, url, f"s{k}", "--shard", f"{k}/{SHARDS}"), range(1, SHARDS + 1))
        assert {0, 1} == {done.code for done in parts}
    assert 1 == judged(made, url, "whole").code
    return made


def merge(state: Path, out: str, *parts: str) -> Done:
    return command(state, "merge", *(str(state / part) for part in parts), "--out", str(state / out))


def alike(file: Path, folder: Path) -> list[str]:
    """The lines of a report without what differs between two runs."""
    return DIFFERS.sub("…", file.read_text("utf-8").replace(str(folder), "DIR")).splitlines()


def lines(folder: Path) -> Iterator[object]:
    """What a report says from its header to its footer, without times and what a target makes up."""
    report = part("reports.jsonl").read(folder)
    yield DIFFERS.sub("…", str(dict(report.header)))
    for scenario, trace in report.traces.items():
        yield from ((scenario, seen.case.id, seen.case.step, seen.exchange.status) for seen in trace)
    yield from (DIFFERS.sub("…", str(verdict)) for verdict in report.verdicts)
    yield {**report.footer, "finished": ""}


def test_merged_shards_are_the_report_of_the_whole_run(state: Path) -> None:
    done = merge(state, "merged", *(f"s{k}" for k in range(1, SHARDS + 1)))
    assert (1, "") == (done.code, done.err)
    whole, merged = state / "whole" / VERSION, state / "merged" / VERSION
    assert list(lines(whole)) == list(lines(merged))
    derived = sorted(file.name for file in whole.iterdir())
    assert derived == sorted(file.name for file in merged.iterdir())
    for name in ("summary.md", "junit.xml", "report.sarif", "badge.json", "event-types.md"):
        assert alike(whole / name, whole) == alike(merged / name, merged)
    assert 0 == command(state, "verify", str(state / "merged")).code


def test_every_shard_has_a_part_and_its_own_scope(state: Path) -> None:
    texts = [(state / f"s{k}" / VERSION / "report.jsonl").read_text().splitlines() for k in (1, 2, 3, 4)]
    assert [f"{k}/4" for k in (1, 2, 3, 4)] == [json.loads(text[0])["scope"]["shard"] for text in texts]


def test_a_run_of_one_shard_is_merged_as_others_are(state: Path, target: tuple[str, Server]) -> None:
    """A matrix of a CI has the same steps for all its runs."""
    assert 1 == judged(state, target[0], "only", "--shard", "1/1").code
    assert (1, "") == ((done := merge(state, "one", "only")).code, done.err)
    assert list(lines(state / "whole" / VERSION)) == list(lines(state / "one" / VERSION))


def test_only_shards_that_have_scenarios_are_missing(state: Path, target: tuple[str, Server]) -> None:
    """Any number of empty ones beyond them costs nothing: they aren't walked."""
    assert judged(state, target[0], "mistyped", "--shard", "2/999999999").code in (0, 1)
    done = merge(state, "lonely", "mistyped")
    missing = [line for line in done.err.splitlines() if "is missing" in line]
    assert 3 == done.code
    assert "shard 1/999999999 is missing" in missing[0]
    assert all("shard 2/" not in line for line in missing)
    assert len(missing) < 1000


def test_a_missing_shard_is_named_and_the_exit_code_is_3(state: Path) -> None:
    done = merge(state, "three", "s1", "s2", "s4")
    assert 3 == done.code
    assert f"{VERSION}: shard 3/4 is missing" in done.err
    footer = list(lines(state / "three" / VERSION))[-1]
    assert isinstance(footer, dict)
    assert ("early", True) == (footer["ended"], footer["interrupted"])


def test_a_killed_shard_is_named_and_what_it_had_judged_is_kept(
    state: Path, target: tuple[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = target
    waiting, over = threading.Event(), threading.Event()
    report = state / "killed" / VERSION / "report.jsonl"

    def stall(request: Request, number: int) -> Reply | None:
        if report.is_file():  # behind the preflight
            waiting.set()
            server.lock.release()
            over.wait(PATIENCE)
            server.lock.acquire()
        return a_fault(request, number)

    monkeypatch.setattr(server, "act", stall)
    arguments = ["run", "--target", url, "--api-version", VERSION, "--out", str(state / "killed"), "--shard", "2/4"]
    arguments += ["--profile", "smoke"]
    scenarios = [f"--scenario={one}" for one in SCENARIOS]
    env = environment(state, AZURE_OPENAI_API_KEY=KEY)
    with subprocess.Popen(words(*arguments, *scenarios), env=env, stdout=subprocess.DEVNULL) as process:
        assert waiting.wait(PATIENCE)
        process.kill()
        process.wait()
        over.set()
    done = merge(state, "with-killed", "s1", "killed", "s3", "s4")
    assert 3 == done.code
    assert f"{VERSION}: shard 2/4 did not come to its end" in done.err


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (("whole",), "holds no shard"),
        (("s1", "s1-again"), "is shard 1/4, as"),
        (("s1", "s2-other"), "in options"),
        (("nowhere",), "holds no shard"),
        (("s3-damaged",), f"{VERSION}/shard.json: is not what a shard writes"),
    ],
)
def test_what_is_no_part_of_one_run_is_a_usage_error(state: Path, parts: tuple[str, ...], told: str) -> None:
    """Nothing is written then."""
    shutil.copytree(state / "s1", state / "s1-again", dirs_exist_ok=True)
    shutil.copytree(state / "s2", state / "s2-other", dirs_exist_ok=True)
    record = state / "s2-other" / VERSION / "shard.json"
    plain = json.loads(record.read_text())
    plain["whole"]["options"]["seed"] = 7
    record.write_text(json.dumps(plain))
    shutil.copytree(state / "s3", state / "s3-damaged", dirs_exist_ok=True)
    del plain["whole"]["options"]["seed"]
    (state / "s3-damaged" / VERSION / "shard.json").write_text(json.dumps(plain))
    done = merge(state, "none", *parts)
    assert 2 == done.code
    assert told in done.err
    assert 1 == len(done.lines)
    assert not (state / "none").exists()


def test_a_merge_into_the_folder_of_a_shard_is_refused_and_the_shard_stays(state: Path) -> None:
    shutil.copytree(state / "s1", state / "s1-own")
    before = {file: file.read_bytes() for file in (state / "s1-own").rglob("*") if file.is_file()}
    done = merge(state, "s1-own", "s1-own", "s2", "s3", "s4")
    assert (2, 1) == (done.code, len(done.lines))
    assert f"{state / 's1-own' / VERSION} holds a shard" in done.err
    assert before == {file: file.read_bytes() for file in (state / "s1-own").rglob("*") if file.is_file()}


def test_a_whole_run_in_the_folder_of_a_shard_is_no_shard(state: Path, target: tuple[str, Server]) -> None:
    """What lies there of the shard, packed too, says nothing of the run."""
    assert judged(state, target[0], "reused", "--shard", "2/4", "--gzip").code in (0, 1)
    assert 1 == judged(state, target[0], "reused").code
    assert ["report.jsonl"] == [file.name for file in (state / "reused" / VERSION).glob("report.jsonl*")]
    done = merge(state, "of-reused", "s1", "reused", "s3", "s4")
    assert (2, True) == (done.code, "holds no shard" in done.err)


def test_a_shard_record_holds_no_key(state: Path) -> None:
    texts = [file.read_text() for file in state.glob(f"*/{VERSION}/shard.json")]
    assert len(texts) >= SHARDS
    assert not any(KEY in text or CANARY in text for text in texts)
