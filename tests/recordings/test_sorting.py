"""Recorded exchanges find their operation and api-version, and the request alone decides what is expected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from miniatures import HELLO, HOST, KEY, SAID, Entry, as_lines, chat, entry, streamed

from conformance.evidence.trace import Observation
from conformance.recordings.form import Node
from conformance.recordings.formats import plain_entries
from conformance.recordings.routing import Route, route_of
from conformance.recordings.traces import Sorted, sorted_out
from conformance.requests.case import Expect, Multipart
from conformance.spec.loading import load, versions
from conformance.verdict import Level

SPECS = [load(name) for name in versions()]
FILE = {"id": "file-1", "object": "file", "bytes": 3, "filename": "a.jsonl", "purpose": "batch", "created_at": 1}


def sort(*entries: dict[str, Any], version: str = "") -> Sorted:
    """Entries of our own form, sorted."""
    recorded = plain_entries.read(Node(list(entries), "a.jsonl"))
    return sorted_out(recorded, [load(version)] if version else SPECS, forced=bool(version))


def cases(*entries: dict[str, Any], version: str = "") -> list[Observation]:
    """The observations in the order of the entries."""
    found = [seen for traces in sort(*entries, version=version).traces.values() for trace in traces for seen in trace]
    return sorted(found, key=lambda seen: int(seen.case.step.rpartition(" ")[2]))


def route(method: str, url: str) -> Route | None:
    return route_of(method, url, SPECS)


ROUTES = {
    "/openai/deployments/d/chat/completions?api-version=2024-10-21": ("2024-10-21", "chat.completions.create", True),
    "/gate/way/openai/deployments/d/embeddings?api-version=2024-06-01": ("2024-06-01", "embeddings.create", True),
    "/deployments/d/chat/completions?api-version=2024-10-21": ("2024-10-21", "chat.completions.create", True),
    "/openai/deployments/d/chat/completions?api-version=2024-02-01": (
        "2024-05-01-preview",
        "chat.completions.create",
        False,
    ),
    "/openai/deployments/d/chat/completions?api-version=2031-01-01": (
        "2025-04-01-preview",
        "chat.completions.create",
        False,
    ),
    "/openai/v1/responses": ("v1", "responses.create", True),
    "/openai/v1/responses?api-version=preview": ("v1", "responses.create", True),
    "/openai/v1/chat/completions?api-version=v1": ("v1", "chat.completions.create", True),
    "/v1/chat/completions": ("v1", "chat.completions.create", True),
    "/openai/responses?api-version=2025-04-01-preview": ("2025-04-01-preview", "responses.create", True),
    "/openai/responses?api-version=2025-03-01-preview": ("2025-04-01-preview", "responses.create", False),
}


@pytest.mark.parametrize(("url", "wanted"), ROUTES.items())
def test_a_route_is_recognised_by_the_end_of_its_path(url: str, wanted: tuple[str, str, bool]) -> None:
    found = route("POST", HOST + url)
    assert found is not None
    assert wanted == (found.spec.version, found.operation.id, found.exact)


def test_names_in_a_path_are_decoded_and_the_api_version_is_no_parameter() -> None:
    url = f"{HOST}/openai/threads/thread_1/runs/run%2F2/steps?limit=2&api-version=2024-05-01-preview"
    found = route("GET", url)
    assert found is not None
    assert {"thread_id": "thread_1", "run_id": "run/2"} == found.names
    assert (("limit", "2"),) == found.query


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/healthz"),
        ("POST", "/openai/v1/nothing"),
        ("OPTIONS", "/openai/v1/responses"),
        ("POST", "/openai/deployments/d/chat/completions"),  # a dated route without any api-version
        ("GET", "/"),
    ],
)
def test_other_routes_are_counted_and_named(method: str, url: str) -> None:
    found = sort(chat(method=method, url=HOST + url), chat(method=method, url=HOST + url + "?x=1"))
    assert {("", f"{method} {url}"): 2} == found.unknown
    assert 0 == found.judged


def test_a_chosen_version_decides_whatever_the_wire_says() -> None:
    for url in ("/openai/deployments/d/chat/completions", "/openai/deployments/d/chat/completions?api-version=1"):
        (seen,) = cases(chat(url=HOST + url), version="2024-06-01")
        assert "chat.completions.create" == seen.case.operation
        assert () == seen.case.query


def test_each_operation_of_a_version_is_a_trace_of_its_own() -> None:
    found = sort(chat(), streamed(), chat(query="api-version=2024-10-21"))
    assert {"2024-05-01-preview": [2], "2024-10-21": [1]} == {
        name: [len(trace.observations) for trace in traces] for name, traces in found.traces.items()
    }
    assert {"recorded.chat.completions.create"} == {t.scenario for traces in found.traces.values() for t in traces}


def test_cases_of_equal_requests_have_ids_of_their_own() -> None:
    assert 3 == len({seen.case.id for seen in cases(chat(), chat(), chat())})


def test_a_valid_request_to_a_deployment_that_answers_must_be_accepted() -> None:
    good, refused = cases(chat(), chat({"error": {"code": "x", "message": "no"}}, status=400))
    assert [Expect.ACCEPT, Expect.ACCEPT] == [good.case.expect, refused.case.expect]


def body(**more: Any) -> dict[str, Any]:
    return {**HELLO, **more}


EITHER = {
    "a deployment that never answered": chat({"error": {}}, status=404),
    "tools": chat(body={**HELLO, "tools": [{"type": "function", "function": {"name": "f"}}]}),
    "an unknown field": chat(body=body(shiny=1)),
    "an older version than any document": chat(body=body(n="x"), query="api-version=2023-07-01-preview"),
    "an enum value that the document lacks": chat(body=body(response_format={"type": "poem"})),
    "a refused key": chat({"error": {"code": "401", "message": "no"}}, status=401),
    "an empty prompt": entry("/deployments/d/embeddings", {"data": []}, body={"input": ""}),
    "another content type": chat(request_headers=[["content-type", "text/plain"]], request_body=json.dumps(HELLO)),
    "a rule that a target may enforce": chat(body=body(response_format={"type": "json_object"})),
    "a file that was not seen": entry(
        "/v1/responses", {}, body={"model": "m", "input": "x", "previous_response_id": "resp_9"}, query=""
    ),
}


@pytest.mark.parametrize("one", EITHER.values(), ids=EITHER.keys())
def test_what_depends_on_more_than_the_request_may_end_either_way(one: dict[str, Any]) -> None:
    (seen,) = cases(one)
    assert Expect.EITHER is seen.case.expect
    assert seen.case.reason


def test_a_request_that_breaks_the_document_should_be_refused() -> None:
    (seen,) = cases(chat(body=body(temperature=9)))
    assert (Expect.REJECT, "/temperature") == (seen.case.expect, seen.case.breaks and seen.case.breaks.pointer)
    assert Level.SHOULD is seen.case.level


def test_it_must_be_refused_where_a_source_says_so() -> None:
    (seen,) = cases(entry("/deployments/d/embeddings", {}, body={"user": "me"}))
    assert (Expect.REJECT, Level.MUST) == (seen.case.expect, seen.case.level)
    assert ("/input", "required") == (seen.case.breaks and (seen.case.breaks.pointer, seen.case.breaks.keyword))


def test_a_parameter_of_the_query_is_judged_too() -> None:
    page = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    good, bad = cases(*(entry("/assistants", page, method="GET", query=f"api-version=2024-05-01-preview&order={order}")
                        for order in ("asc", "upwards")))  # fmt: skip
    assert Expect.ACCEPT is good.case.expect
    assert Expect.EITHER is bad.case.expect  # a name that the document lacks


def test_an_object_must_be_there_once_it_was_read_and_until_something_is_changed() -> None:
    look = entry("/v1/files/file-1", FILE, method="GET", query="")
    gone = entry("/v1/files/file-2", {"id": "file-2", "object": "file", "deleted": True}, method="DELETE", query="")
    before, again, _, late = cases(look, look, gone, look)
    assert [Expect.EITHER, Expect.ACCEPT, Expect.EITHER] == [seen.case.expect for seen in (before, again, late)]


def test_headers_that_the_document_describes_are_judged() -> None:
    page = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    wanted = {"preview": Expect.ACCEPT, "": Expect.EITHER}
    for value, expect in wanted.items():
        headers = [["aoai-evals", value]] if value else []
        look = entry("/v1/evals", page, method="GET", query="", request_headers=headers)
        (seen,) = cases(look, version="v1-preview")
        assert expect is seen.case.expect


def test_a_document_that_the_service_does_not_serve_is_only_chosen_by_name() -> None:
    url = f"{HOST}/openai/assistants"
    page = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    assert 0 == sort(entry("", page, method="GET", url=url)).judged
    assert 1 == sort(entry("", page, method="GET", url=url), version="2023-11-06-beta").judged


def test_a_server_error_is_judged_only_where_it_came_again_after_a_while() -> None:
    """The official clients repeat it twice within seconds, by themselves."""

    def broken(started: str | None) -> Entry:
        more = {} if started is None else {"started": started}
        return chat({"error": {"code": "500", "message": "x"}}, status=500, **more)

    def outside(*entries: Entry) -> list[str]:
        return [seen.exchange.outside for seen in cases(chat(), *entries)][1:]

    early, soon, late = (f"2025-01-01T00:{minute:02}:00Z" for minute in (0, 9, 10))
    may = "a 500 that did not come again after 600 s may have been an outage"
    assert [may] == outside(broken(early))
    assert [may, may] == outside(broken(early), broken(soon))
    assert ["", ""] == outside(broken(early), broken(late))
    was = "a 500 after which the same request succeeded was an outage"
    assert [was, was, ""] == outside(broken(early), broken(late), chat())
    assert [may] * 10 == outside(*[broken(None)] * 10)
    assert [""] * 11 == outside(*[broken(None)] * 11)


def test_what_is_missing_in_a_recording_is_counted_by_reason() -> None:
    found = sort(chat(body=None), chat(body="{...", request_headers=[["content-type", "application/json"]]), chat())
    assert {
        "the body of the request is not recorded": 1,
        "the recorded body of the request is not JSON; it may have been shortened": 1,
    } == found.unusable
    assert 1 == found.judged


def test_a_form_is_taken_apart() -> None:
    text = (
        '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; '
    )
    text += 'name="file"; filename="a.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n{}\n\r\n--b--\r\n'
    upload = entry("/v1/files", FILE, body=text, query="",
                   request_headers=[["content-type", "multipart/form-data; boundary=b"]])  # fmt: skip
    fields = entry("/v1/files", FILE, request_form={"purpose": "batch"}, query="")
    whole, known = cases(upload, fields)
    assert isinstance(whole.case.body, Multipart)
    assert [("purpose", b"batch", ""), ("file", b"{}\n", "a.jsonl")] == [
        (part.name, part.data, part.filename) for part in whole.case.body.parts
    ]
    # A recording that leaves the file out breaks nothing.
    assert Expect.REJECT is not known.case.expect


def test_the_key_is_nowhere() -> None:
    assert KEY in as_lines([chat()])
    told = chat({**SAID, "model": KEY})
    asked = chat(query=f"api-version=2024-10-21&api-key={KEY}")
    upload = entry("/v1/files", FILE, request_form={"purpose": KEY}, query="")
    lost = chat(url=f"{HOST}/{KEY}/healthz?key={KEY}")
    found = sort(told, asked, upload, lost)
    assert (3, 1) == (found.judged, sum(found.unknown.values()))
    assert KEY not in repr(found)
