"""Every format of recordings is read into the same exchanges; what can't be read is told with file and place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from attrs import evolve
from miniatures import FORMATS, HELLO, KEY, SAID, as_har, as_lines, as_vcr, chat, streamed

from conformance.errors import UsageError
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.recordings.cleaning import Unusable, exchange_of, secrets_of
from conformance.recordings.files import read_file
from conformance.recordings.formats import formats
from conformance.recordings.recorded import Recorded
from conformance.requests.case import Case
from conformance.requests.headers import REDACTED
from conformance.requests.request import Request
from reports import jsonl

MINI = [chat(), streamed()]


def read(path: Path, text: str | bytes) -> list[Recorded]:
    """The exchanges of a file with this text."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_file(path))


def exchange(recorded: Recorded) -> Exchange:
    """The evidence of a recorded exchange that can be judged."""
    made = exchange_of(recorded, secrets_of([recorded]))
    assert isinstance(made, Exchange)
    return made


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_is_read_into_the_same_exchanges(ending: str, tmp_path: Path) -> None:
    made = [exchange(one) for one in read(tmp_path / f"a.{ending}", FORMATS[ending](MINI))]
    assert [one["url"] for one in MINI] == [one.request.url for one in made]
    assert [HELLO, {**HELLO, "stream": True}] == [one.request.json for one in made]
    assert [200, 200] == [one.status for one in made]
    assert SAID == made[0].response.json if made[0].response else None
    assert MINI[1]["body"] == (made[1].response.body.decode() if made[1].response else None)


def test_each_format_says_what_it_is() -> None:
    assert len({one.TITLE for one in formats()}) == len(formats()) == 5


@pytest.mark.parametrize("ending", FORMATS)
def test_a_place_names_file_and_number(ending: str, tmp_path: Path) -> None:
    second = read(tmp_path / f"a.{ending}", FORMATS[ending](MINI))[1]
    assert second.place.startswith(str(tmp_path / f"a.{ending}"))
    assert second.place.endswith(" 2")


def test_our_own_report_is_read(tmp_path: Path) -> None:
    request = Request("POST", "http://x/openai/deployments/d/chat/completions?api-version=v", body=b"{}")
    good = Exchange(request, Response(200, chunks=(Chunk(0.5, b'{"a"'), Chunk(0.7, b":1}")), elapsed=0.7))
    case = Case("chat.completions.create", "POST", "/deployments/{d}/chat/completions")
    trace = Trace("corpus.chat.completions.create", (Observation(case, good),))
    jsonl.write(tmp_path / "report.jsonl", {"api_version": "v"}, [trace], [], {})
    (one,) = read_file(tmp_path / "report.jsonl")
    assert good == exchange(one)


def test_an_object_with_entries_is_read_like_lines(tmp_path: Path) -> None:
    assert 2 == len(read(tmp_path / "a.json", json.dumps({"entries": MINI})))
    assert 1 == len(read(tmp_path / "b.json", json.dumps(chat())))


def test_times_of_a_stream_are_kept_where_they_were_noted(tmp_path: Path) -> None:
    text = streamed()["body"]
    line = {**streamed(), "body": None, "chunks": [[0.1, text[:50]], [0.4, text[50:]]]}
    timed, untimed = (exchange(one) for one in read(tmp_path / "a.jsonl", as_lines([line, streamed()])))
    assert timed.response is not None
    assert untimed.response is not None
    assert [0.1, 0.4] == [piece.at for piece in timed.response.chunks]
    assert (True, False) == (timed.response.timed, untimed.response.timed)
    assert timed.response.body == untimed.response.body


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "br", "gzip, identity"])
def test_packed_bodies_are_unpacked_and_the_header_goes(coding: str, tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    headers = (*plain.headers, ("Content-Encoding", coding), ("Content-Length", "3"))
    packed = evolve(plain, body=gzip.compress(plain.body or b""), headers=headers)
    response = exchange(packed).response
    assert response is not None
    assert SAID == response.json
    assert response.header("content-encoding") is None
    assert str(len(response.body)) == response.header("content-length")


def test_a_body_that_the_recorder_unpacked_keeps_no_coding(tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    response = exchange(evolve(plain, headers=(*plain.headers, ("content-encoding", "br")))).response
    assert response is not None
    assert SAID == response.json
    assert response.header("content-encoding") is None


def test_a_body_in_an_unknown_coding_is_not_judged(tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    strange = evolve(plain, body=b"\x8b\x02\x80\xff", headers=(("content-encoding", "br"),))
    assert Unusable("the body can't be unpacked from 'br'") == exchange_of(strange, secrets_of([]))


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_half_a_packed_body_is_not_judged(coding: str, tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    packed = gzip.compress(plain.body or b"")
    half = evolve(plain, body=packed[: len(packed) // 2], headers=(("content-encoding", coding),))
    assert Unusable(f"the body can't be unpacked from '{coding}'") == exchange_of(half, secrets_of([]))


def test_a_body_that_was_packed_twice_is_unpacked_twice(tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    packed = gzip.compress(gzip.compress(plain.body or b""))
    response = exchange(evolve(plain, body=packed, headers=(("content-encoding", "gzip, gzip"),))).response
    assert response is not None
    assert SAID == response.json


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    (plain,) = read(tmp_path / "a.yaml", as_vcr([chat()]))
    bomb = gzip.compress(b"\0" * (65 * 1024 * 1024), 1)
    assert isinstance(
        exchange_of(evolve(plain, body=bomb, headers=(("content-encoding", "gzip"),)), secrets_of([])), Unusable
    )


def test_what_is_not_recorded_is_told(tmp_path: Path) -> None:
    document = json.loads(as_har([chat(), chat(), chat()]))
    first, second, third = document["log"]["entries"]
    first["response"]["content"] = {"size": 400, "mimeType": "application/json"}
    second["response"]["status"] = 0
    third["request"].pop("postData")
    third["request"]["bodySize"] = 60
    made = read(tmp_path / "a.har", json.dumps(document))
    assert Unusable("the body of the answer is not recorded") == exchange_of(made[0], secrets_of([]))
    assert Unusable("no answer is recorded") == exchange_of(made[1], secrets_of([]))
    assert made[2].request_body is None


SECRETS = {
    "a key in a header": chat(),
    "a bearer token": chat(request_headers=[["Authorization", f"Bearer {KEY}"]]),
    "a header with an odd name": chat(request_headers=[["X-My-Key", KEY]]),
    "a cookie of the answer": chat(headers=[["content-type", "application/json"], ["Set-Cookie", f"s={KEY}; Secure"]]),
    "a key in the query": chat(query=f"api-version=v&subscription-key={KEY}"),
    "a key that the answer repeats": chat({"error": {"message": f"bad key {KEY}", "code": "401"}}, status=401),
    "a user in the URL": chat(url=f"https://me:{KEY}@host/openai/deployments/d/chat/completions?api-version=v"),
    "a signature in the answer": chat({"data": [{"url": f"https://s/x.png?se=1&sig={KEY}&sp=r"}]}, request_headers=[]),
    "a key of a data source": chat(
        body={**HELLO, "data_sources": [{"parameters": {"authentication": {"type": "api_key", "key": KEY}}}]},
        request_headers=[],
    ),
    "a connection string": chat(
        body={**HELLO, "data_sources": [{"parameters": {"authentication": {"connection_string": f"Endpoint={KEY}"}}}]},
        request_headers=[],
    ),
    "a header that a tool sends": chat(
        body={**HELLO, "tools": [{"type": "mcp", "headers": {"Authorization": f"Bearer {KEY}", "X-Team": "a"}}]},
        request_headers=[],
    ),
    "a token that a tool sends": chat(body={**HELLO, "tools": [{"authorization": KEY}]}, request_headers=[]),
    "a password that the answer repeats": chat(
        {"error": {"message": f"bad password {KEY}"}}, {**HELLO, "metadata": {"clientSecret": KEY}}, request_headers=[]
    ),
    "a signature with escapes": chat(
        '{"data":[{"url":"https:\\/\\/s\\/x.png?se=1\\u0026sig=' + KEY + '\\u0026sp=r"}]}', request_headers=[]
    ),
}


@pytest.mark.parametrize("entry", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_of_a_recording_gets_into_the_evidence(entry: dict[str, object], tmp_path: Path) -> None:
    (one,) = read(tmp_path / "a.jsonl", as_lines([entry]))
    made = repr(exchange(one))
    assert KEY not in made
    assert REDACTED in made or "redacted" in made


def test_a_member_named_key_is_no_secret_elsewhere(tmp_path: Path) -> None:
    filters = {"type": "eq", "key": "department", "value": "sales"}
    tool = {"type": "file_search", "filters": filters, "headers": {"accept": "text/plain"}}
    (one,) = read(tmp_path / "a.jsonl", as_lines([chat(body={**HELLO, "tools": [tool]})]))
    assert {**HELLO, "tools": [tool]} == exchange(one).request.json


BAD = {
    "empty": ("", "the file is empty"),
    "binary": (b"\xff\xfe\x00", "not UTF-8 text: byte 0"),
    "cut JSON": ('{"log": {"entries": [', "not JSON: Expecting value"),
    "a bad line": (as_lines([chat()]) + "{nonsense\n", ":2:2: not JSON"),
    "something else": ('{"hello": 1}', "no recorded traffic in a known form"),
    "a YAML tag": ("a: !!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
    "bad YAML": ("a: [1\nb: }", "neither JSON nor YAML"),
    "plain text": ("hello", "no recorded traffic in a known form"),
    "entries that are no list": ('{"log": {"entries": 5}}', "entries: expected a list, found int"),
    "an entry that is none": ('{"Entries": [5]}', "entry 1: expected an object, found int"),
    "a status that is none": (as_lines([chat(status="fine")]), "line 1: status: expected a status code, found str"),
    "no method": ('{"interactions": [{"request": {"uri": "x"}}]}', "interaction 1: request: method: expected a text"),
    "bad base64": (as_lines([chat(body_base64="???")]), "line 1: body_base64: not base64"),
    "deep nesting": ("[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_told_with_its_place(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        read(tmp_path / "bad.txt", text)
    assert str(tmp_path / "bad.txt") in str(told.value)
    assert message in str(told.value)


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a folder"):
        list(read_file(tmp_path))
    with pytest.raises(UsageError, match="No such file"):
        list(read_file(tmp_path / "none"))


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.recordings.files.LARGEST", 10)
    with pytest.raises(UsageError, match="larger than"):
        read(tmp_path / "a.jsonl", as_lines([chat()]))
