"""What a recording leaves open is not held against the service; what it shows is judged all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from miniatures import KEY, SAID, Entry, as_har, as_vcr, chat, entry

from conformance.cli import main
from conformance.recordings.body_secrets import body_secrets
from conformance.recordings.placeholders import is_placeholder
from conformance.verdict import Outcome
from reports import jsonl

VERSION = "2024-05-01-preview"
MISSING = {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}
BROKEN = {"error": {"code": "500", "message": "x"}}


def objections(folder: Path, text: str, name: str = "traffic.jsonl") -> dict[str, Outcome]:
    """The checks that fail or warn, by name."""
    file = folder / name
    file.write_text(text, "utf-8")
    main(["judge", str(file), "-o", str(folder / "out")])
    reports = (
        [jsonl.read(one) for one in (folder / "out").iterdir() if one.is_dir()] if (folder / "out").is_dir() else []
    )
    bad = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    return {one.check: one.outcome for report in reports for one in report.verdicts if one.outcome in bad}


def lines(*entries: Entry) -> str:
    return "\n".join(json.dumps(one) for one in entries)


def on(host: str, one: Entry) -> Entry:
    """The same exchange with another host."""
    return {**one, "url": one["url"].replace("example.openai.azure.com", host)}


ASSISTANT: Any = {
    "id": "asst_abc123",
    "object": "assistant",
    "created_at": 1_700_000_000,
    "name": "A",
    "description": None,
    "model": "gpt-4o",
    "instructions": None,
    "tools": [],
    "metadata": {},
    "tool_resources": None,
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}
MADE = entry("/assistants", ASSISTANT, body={"model": "gpt-4o", "name": "A"})
READ = entry("/assistants/asst_abc123", ASSISTANT, method="GET")
DELETED = {"id": "asst_abc123", "object": "assistant.deleted", "deleted": True}
GONE = entry("/assistants/asst_abc123", DELETED, method="DELETE")
EMPTY = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
FULL = {"object": "list", "data": [ASSISTANT], "first_id": "asst_abc123", "last_id": "asst_abc123", "has_more": False}
NONE = entry("/assistants", EMPTY, method="GET")
LISTED = entry("/assistants", FULL, method="GET")
NO_ASSISTANT = {"error": {"code": None, "message": "No assistant found.", "param": None, "type": "x"}}
HIDDEN = {**ASSISTANT, "id": "Sanitized"}
HIDING = [["api-key", "Sanitized"], ["content-type", "application/json"]]


def at(one: Entry, second: float) -> Entry:
    whole, part = divmod(second, 1)
    return {**one, "started": f"2025-01-01T00:00:{int(whole):02}.{int(part * 1000):03}Z"}


QUIET: dict[str, tuple[Entry, ...]] = {
    "two hosts have two lists": (on("dev.example", MADE), on("prod.example", NONE), on("dev.example", READ)),
    "two hosts have two sets of deployments": (
        on("dev.example", chat()),
        on("prod.example", chat(MISSING, status=404)),
    ),
    "a deployment that was not there yet": (chat(MISSING, status=404), chat()),
    "an outage that the client waited out": (*[chat(BROKEN, status=503)] * 3, chat()),
    "a read that began before the deletion": (MADE, at(GONE, 5.1), {**at(READ, 5.0)}),
    "a list that came late": (MADE, NONE, LISTED, READ),
    "an object that others removed": (MADE, READ, {**READ, "status": 404, "body": NO_ASSISTANT}),
    "an id that stands for two": (
        {**MADE, "body": HIDDEN},
        {**MADE, "body": HIDDEN},
        entry("/assistants/Sanitized", {**DELETED, "id": "Sanitized"}, method="DELETE"),
        entry("/assistants/Sanitized", HIDDEN, method="GET"),
    ),
    "a placeholder is no key": (
        chat(
            {**SAID, "id": "Sanitized"},
            request_headers=[["api-key", "Sanitized"], ["content-type", "application/json"]],
        ),
    ),
    "a part of the request was replaced": (
        chat(body={"messages": "[FILTERED]"}),
        chat(body={"max_tokens": "Sanitized"}),
    ),
    "the client was sent elsewhere": (chat(), chat("", status=307, headers=[["location", "/x"]])),
    "the client hung up": (chat(), chat("", status=499, headers=[])),
    "the body is not recorded": (chat(), {name: value for name, value in chat().items() if name != "body"}),
    "the body was cut by the recorder": (
        chat(),
        chat(headers=[["content-type", "application/json"], ["content-length", "99999"]]),
    ),
}


@pytest.mark.parametrize("entries", QUIET.values(), ids=QUIET.keys())
def test_what_a_recording_leaves_open_is_quiet(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    assert {} == objections(tmp_path, lines(*entries))


FOUND: dict[str, tuple[str, tuple[Entry, ...]]] = {
    "listed after its deletion": ("lifecycle.deleted.unlisted", (MADE, READ, GONE, LISTED)),
    "read after its deletion": ("lifecycle.deleted.gone", (at(MADE, 0), at(GONE, 5), at(READ, 9))),
    "never listed though it is there": ("lifecycle.list.holds", (MADE, NONE, READ)),
    "fails for longer than an outage": (
        "http.no-server-error",
        (chat(), *(chat(BROKEN, status=500, started=f"2025-01-01T0{hour}:00:00Z") for hour in (1, 2))),
    ),
}


@pytest.mark.parametrize(("check", "entries"), FOUND.values(), ids=FOUND.keys())
def test_what_a_recording_shows_is_judged(check: str, entries: tuple[Entry, ...], tmp_path: Path) -> None:
    assert Outcome.FAIL is objections(tmp_path, lines(*entries)).get(check)


def test_a_slash_at_the_end_of_the_path_hides_no_rule(tmp_path: Path) -> None:
    def judged(one: Entry, folder: Path) -> set[str]:
        folder.mkdir()
        objections(folder, lines(one))
        report = jsonl.read(folder / "out" / VERSION)
        return {verdict.check for verdict in report.verdicts if verdict.outcome is Outcome.PASS}

    plain = chat()
    slash = {**plain, "url": plain["url"].replace("/completions?", "/completions/?")}
    assert judged(plain, tmp_path / "plain") == judged(slash, tmp_path / "slash") != set()


@pytest.mark.parametrize(
    "url",
    [
        "https://github.example/repo/files",
        "https://forum.example/api/threads?api-version=2024-05-01-preview",
        "https://forum.example/threads/1/messages?api-version=2024-05-01-preview",
        "https://shop.example/models",
    ],
)
def test_the_traffic_of_other_sites_is_nobodys(url: str, tmp_path: Path) -> None:
    assert {} == objections(tmp_path, lines(chat(), {**entry("", {"items": []}, method="GET"), "url": url}))


@pytest.mark.parametrize(
    "content",
    [{"size": -1}, {"size": -1, "_file": "a.json"}, {"size": 0, "comment": "Response bodies are not included."}, {},
     {"size": 5_000, "text": "{"}],
)  # fmt: skip
def test_a_body_that_a_har_leaves_out_is_not_recorded(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(as_har([chat(), chat()]))
    document["log"]["entries"][1]["response"]["content"] = content
    assert {} == objections(tmp_path, json.dumps(document), "traffic.har")
    assert "1 exchange not judged: the body of the answer is not recorded" in capsys.readouterr().out


def test_a_number_in_a_header_of_a_cassette_is_its_text(tmp_path: Path) -> None:
    """YAML reads ``age: [0]`` as a number."""
    text = as_vcr([chat()]).replace("headers:", "headers:\n      age: [0]", 1)
    assert "age: [0]" in text
    assert {} == objections(tmp_path, text, "cassette.yaml")


def test_an_answer_from_the_clients_cache_spoils_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cached = {**entry("/v1/models", "", method="GET", query=""), "status": 304}
    assert {} == objections(tmp_path, lines(chat(), cached))
    assert "cache" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["Sanitized", "[FILTERED]", "<REDACTED>", "REDACTED", "***", "DUMMY", "xxxxxxxxxx"])
def test_words_that_hide_something(word: str) -> None:
    assert is_placeholder(word)
    assert not is_placeholder(f"a {word} text")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"tools": [{"authorization": KEY}]}),
        json.dumps({"a": {"client_assertion": KEY}}),
        f"grant_type=client_credentials&client_secret={KEY}&scope=x",
        f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{KEY}\r\n--b--\r\n',
    ],
)
def test_secrets_of_forms_and_objects(body: str) -> None:
    assert KEY in set(body_secrets(body.encode()))
    assert set() == set(body_secrets(b"a=b&model=gpt-4o")) | set(body_secrets(b"hello"))
