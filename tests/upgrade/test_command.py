"""``upgrade`` as somebody runs it: at the embedded emulator, with what he uses, in CI."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from moving import KEY
from raw_server import raw_server

from conformance.cli import main
from conformance.evidence.exchange import Chunk, Response
from conformance.recordings import files

OLD, NEW = "2024-06-01", "2024-10-21"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals in a folder of the test's own, and no configuration of anybody."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def _chat(body: dict[str, Any], answer: dict[str, Any] | None = None) -> dict[str, Any]:
    """One recorded exchange of a chat."""
    message = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    told = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    return {
        "method": "POST",
        "url": f"https://r.example/openai/deployments/d/chat/completions?api-version={OLD}",
        "request_headers": {"content-type": "application/json"},
        "request_body": body,
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": answer or {**told, "usage": usage},
    }


def _recorded(folder: Path, *exchanges: dict[str, Any]) -> str:
    file = folder / "traffic.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in exchanges), encoding="utf-8")
    return str(file)


HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def _told(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["upgrade", OLD, NEW, "--predict", "--json", *arguments]) in (0, 1)
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_documents_alone_are_compared_without_a_request(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = _told(capfd, "--out", "out")
    assert "" == told["target"]
    assert {"not probed"} == {change["conclusion"] for change in told["changes"]}
    folder = tmp_path / "out" / f"upgrade-{OLD}-{NEW}"
    assert {"index.html", "upgrade.json", "upgrade.md"} == {file.name for file in folder.iterdir()}
    assert "<script" not in (folder / "index.html").read_text("utf-8")


def test_markdown_is_a_comment_of_sixty_lines_at_most(capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["upgrade", "2024-10-21", "v1", "--predict", "--markdown"])
    lines = capfd.readouterr().out.splitlines()
    assert 60 >= len(lines)
    assert lines[0].startswith("## 2024-10-21 → v1: ")


def test_plain_traffic_is_touched_by_nothing_that_breaks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = _told(capfd, "--used", _recorded(tmp_path, _chat(HELLO)))
    assert not any(change["breaks"] for change in told["changes"])
    assert [] == told["refused"]
    # What comes in addition in the answers is told: a strict parser would notice it.
    assert "choices[].message.refusal" in {change["location"] for change in told["changes"]}
    assert not any(change["direction"] == "request" and change["class"] == "service" for change in told["changes"])


def test_a_recorded_request_that_would_be_refused_is_named_with_the_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = {"messages": [{"role": "user", "content": None}]}
    told = _told(capfd, "--used", _recorded(tmp_path, _chat(HELLO), _chat(silent)))
    (refused,) = told["refused"]
    assert "/messages/0/content" in refused["reason"]
    assert ["messages[role=user].content"] == [c["location"] for c in told["changes"] if c["breaks"]]
    file = _recorded(tmp_path, _chat(silent))
    assert 1 == main(["upgrade", OLD, NEW, "--predict", "--used", file, "--fail-on", "breaking"])


def test_all_recorded_requests_that_would_be_refused_are_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = {"messages": [{"role": "user", "content": None}]}
    told = _told(capfd, "--used", _recorded(tmp_path, *[_chat(silent)] * 25))
    assert 25 == len(told["refused"])
    assert "25 recorded requests would be refused" in told["headline"]


def test_an_operation_may_be_listed_several_times(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "used.toml"
    entry = '[[use]]\noperation = "chat.completions.create"\nrequest = ["{}"]\nanswer = []\n'
    names = ("parallel_tool_calls", "messages[].content", "stream_options")
    file.write_text("".join(map(entry.format, names)), encoding="utf-8")
    changes = _told(capfd, "--used", str(file))["changes"]
    wanted = {"parallel_tool_calls", "messages[role=user].content", "stream_options"}
    assert wanted <= {change["location"] for change in changes}
    assert {"request"} == {change["direction"] for change in changes}


def test_recorded_traffic_may_come_through_a_pipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = Path(_recorded(tmp_path, _chat(HELLO))).read_bytes()
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    try:
        told = _told(capfd, "--used", f"/dev/fd/{reader}")
    finally:
        os.close(reader)
    assert "chat.completions.create (by 1 recorded requests)" == told["used"]


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(files, "LARGEST", 2**20)
    assert 2 == main(["upgrade", OLD, NEW, "--predict", "--used", "/dev/zero"])
    assert "larger than 1 MiB" in capfd.readouterr().err


def test_nothing_that_is_used_changes_is_an_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "used.toml"
    file.write_text('[[use]]\noperation = "embeddings.create"\nrequest = ["user"]\nanswer = ["data"]\n', "utf-8")
    assert 0 == main(["upgrade", OLD, NEW, "--predict", "--used", str(file), "--fail-on", "any"])
    assert f"{OLD} → {NEW}: nothing that you use changes" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("used.toml", '[[use]]\noperation = "chat.create"\n', "unknown operation 'chat.create'"),
        ("used.toml", '[[use]]\noperation = "embeddings.create"\nrequest = "user"\n', "must be a list of fields"),
        ("used.toml", '[[use]]\noperation = "embeddings.create"\nfields = []\n', "unknown keys"),
        (
            "used.toml",
            '[[use]]\noperation = "embeddings.create"\nrequest = ["body.user"]\n',
            "no request field",
        ),
        ("used.toml", '[[use]]\noperation = "embeddings.create"\nanswer = ["data.embedding"]\n', "no answer field"),
        ("used.toml", "use = 1\n", "no list of uses"),
        ("used.toml", "[[use\n", "not TOML"),
        pytest.param("used.toml", f"use = {'9' * 5000}\n", "not TOML", id="a number of 5000 digits"),
        pytest.param("used.toml", f"use = {'[' * 100_000}\n", "nested too deeply", id="nested deeply"),
        ("used.json", '{"use": [1]}', "unknown operation None"),
        ("traffic.jsonl", "nothing of the kind\n", "traffic.jsonl"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert 2 == main(["upgrade", OLD, NEW, "--predict", "--used", str(tmp_path / name)])
    told = capfd.readouterr().err
    assert says in told
    assert name in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((OLD, OLD), "name two different ones"),
        ((OLD, "2024-99-99"), "unknown api-version"),
        ((OLD, NEW, "--operation", "chats.*"), "neither version has such an operation"),
    ],
)
def test_what_is_no_move_is_refused(capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str) -> None:
    assert 2 == main(["upgrade", *arguments, "--predict"])
    assert says in capfd.readouterr().err


@pytest.mark.parametrize(("fail_on", "code"), [("breaking", 1), ("observed", 0), ("any", 1), ("", 0)])
def test_the_exit_code_says_what_was_asked_of_it(capfd: pytest.CaptureFixture[str], fail_on: str, code: int) -> None:
    wanted = ["--fail-on", fail_on] if fail_on else []
    assert code == main(["upgrade", OLD, NEW, "--predict", *wanted])
    assert "completion_config" in capfd.readouterr().out


def test_the_embedded_emulator_is_asked_where_no_target_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    narrowed = ["--operation", "completions.create", "--profile", "smoke"]
    assert 1 == main(["upgrade", OLD, NEW, *narrowed, "--fail-on", "observed"])
    out = capfd.readouterr().out
    assert "At the embedded emulator (it follows these documents" in out
    assert "predicted and observed" in out
    assert "chat.completions.create" not in out


def test_a_target_of_which_every_answer_is_a_failure_shows_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key-of-this-test-9c1b")
    (tmp_path / "conformance.toml").write_text("[target]\nlive = false\nretries = 0\n", encoding="utf-8")
    failure = Response(500, (("content-type", "application/json"),), (Chunk(0.0, b'{"error": {"message": "no"}}'),))
    with raw_server(lambda _: failure) as server:
        narrowed = ["--operation", "completions.create", "--profile", "smoke", "--target", server.url]
        assert 3 == main(["upgrade", OLD, NEW, *narrowed])
    out = capfd.readouterr().out
    for version in (OLD, NEW):
        assert f"note: {version}: none of " in out


def test_a_target_that_is_not_there_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--operation", "completions.create", "--profile", "smoke", "--target", "http://127.0.0.1:9"]
    assert main(["upgrade", OLD, NEW, *arguments]) not in (0, 1)
    assert "127.0.0.1:9" in capfd.readouterr().err


def test_what_to_change_stands_first_and_each_change_is_counted_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Seen under one operation and not under another, a change has several rows, and is one change all the same."""
    told = _told(capfd, "--out", "out")
    folder = tmp_path / "out" / f"upgrade-{OLD}-{NEW}"
    page, comment = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "upgrade.md"))
    assert main(["upgrade", OLD, NEW, "--predict"]) == 0
    console = capfd.readouterr().out
    breaking = {change["pointer"] for change in told["changes"] if change["breaks"]}
    assert f"{len(breaking)} changes may break callers" in told["headline"]
    for text in (page, comment, console):
        assert text.index("Breaks: change what you send (5)") < text.index("Nothing to do, not probed")
    assert "Stop sending <code>completion_config</code>" in page
    assert "Stop sending `completion_config`" in comment


def test_recorded_routes_of_another_version_name_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = {**_chat(HELLO), "url": "https://r.example/openai/threads?api-version=2024-05-01-preview", "status": 404}
    recorded = _recorded(tmp_path, _chat(HELLO), other)
    (note,) = _told(capfd, "--used", recorded)["notes"]
    assert "POST /openai/threads" in note
    assert f"upgrade 2024-05-01-preview {NEW} --used FILE" in note


def test_a_recorded_route_with_a_secret_in_it_is_told_without_the_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"https://r.example/{KEY}/threads?api-version=2024-05-01-preview"
    other = {**_chat(HELLO), "url": url, "request_headers": {"api-key": KEY}, "status": 404}
    (note,) = _told(capfd, "--used", _recorded(tmp_path, _chat(HELLO), other))["notes"]
    assert note.startswith("1 recorded request")
    assert "/threads" in note
    assert KEY not in note


@pytest.mark.parametrize(
    ("key", "new", "code"),
    [('api_version = "2024-10-21"', NEW, 2), ('base_path = "/llm"', "v1", 2), ('base_path = "/openai"', NEW, 0)],
)
def test_a_configuration_that_addresses_both_versions_alike_is_refused(  # noqa: PLR0917 - fixtures and three columns
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], key: str, new: str, code: int
) -> None:
    """Whatever was answered, it would have been asked twice in the same way."""
    (tmp_path / "conformance.toml").write_text(f"[target]\nlive = false\n{key}\n", encoding="utf-8")
    narrowed = ["--operation", "embeddings.create", "--profile", "smoke"]
    assert code == main(["upgrade", OLD, new, *narrowed])
    assert (f"[target] {key.partition(' ')[0]} would be sent under" in capfd.readouterr().err) is bool(code)
