"""The form of cases on the wire, by RFC 7578 (forms), RFC 9110 (header fields) and RFC 3986 (URLs)."""

from __future__ import annotations

from typing import Any

import pytest
from python_multipart.multipart import FormParser

from conformance.errors import HarnessError
from conformance.requests.case import Case, JsonBody, Multipart, Part, RawBody, Version
from conformance.requests.request import Request
from conformance.requests.wire import UNKNOWN_API_VERSION, bind_text, encode_body, placeholders, to_request
from conformance.spec.spec import ApiVersion, Spec

ORIGIN = "https://t.example"


def version(**values: Any) -> Spec:
    api_version = {"location": "query", "name": "api-version", "accepted": ("old", "older", "new"), **values}
    return Spec("v", "preview", "dated", "/openai", ApiVersion(**api_version), {}, {})


def sent(
    spec: Spec | None = None,
    *,
    bindings: dict[str, str] | None = None,
    base_path: str | None = None,
    api_version: str | None = None,
    probe: Version = Version.DEFAULT,
    **values: Any,
) -> Request:
    case = Case(**{"operation": "o", "method": "POST", "path": "/p", "api_version": probe, **values})
    return to_request(
        case, spec or version(), origin=ORIGIN, bindings=bindings or {}, base_path=base_path, api_version=api_version
    )


# -- the URL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "values"),
    [
        ("https://t.example/openai/p?api-version=new", {}),
        ("https://t.example/openai/p?api-version=mine", {"api_version": "mine"}),
        (f"https://t.example/openai/p?api-version={UNKNOWN_API_VERSION}", {"probe": Version.UNKNOWN}),
        ("https://t.example/openai/p", {"probe": Version.MISSING}),
        ("https://t.example/openai/p?a=1&api-version=new", {"query": (("a", "1"),)}),
        ("https://t.example/openai/p?api-version=x", {"query": (("api-version", "x"),)}),
        ("https://t.example/openai/p?api-version=x&a=1", {"query": (("api-version", "x"), ("a", "1"))}),
        ("https://t.example/p?api-version=new", {"base_path": ""}),
        ("https://t.example/p?api-version=new", {"base_path": "/"}),
        ("https://t.example/b/p?api-version=new", {"base_path": "/b/"}),
    ],
)
def test_the_newest_accepted_api_version_goes_with_a_request_once(url: str, values: dict[str, Any]) -> None:
    assert url == sent(**values).url


def test_without_an_accepted_api_version_only_a_chosen_one_is_sent() -> None:
    assert "https://t.example/openai/p" == sent(version(accepted=())).url
    assert "https://t.example/openai/p?api-version=mine" == sent(version(accepted=()), api_version="mine").url


@pytest.mark.parametrize("probe", list(Version))
def test_a_version_that_stands_in_the_path_is_no_query(probe: Version) -> None:
    assert "https://t.example/openai/p" == sent(version(location="path"), probe=probe).url


def test_a_slash_at_the_end_of_the_origin_is_not_doubled() -> None:
    case = Case("o", "GET", "/p", api_version=Version.MISSING)
    assert "https://t.example/openai/p" == to_request(case, version(), origin=ORIGIN + "/", bindings={}).url


@pytest.mark.parametrize(
    ("written", "value"),
    [("a%2Fb", "a/b"), ("%3F%23%25", "?#%"), ("%C3%A9", "é"), ("%ED%A0%80", "\ud800"), ("a-._~b", "a-._~b")],
)
def test_a_path_parameter_is_one_segment(written: str, value: str) -> None:
    """RFC 3986 section 3.3: "/" and "?" end a segment, so they are escaped. Half a surrogate pair is kept."""
    request = sent(path="/p/{id}/q", path_params={"id": value}, probe=Version.MISSING)
    assert f"https://t.example/openai/p/{written}/q" == request.url


def test_a_query_may_hold_half_a_surrogate_pair() -> None:
    assert sent(query=(("a", "\ud800"),), probe=Version.MISSING).url.endswith("?a=%ED%A0%80")


def test_what_the_run_binds_stands_in_path_query_and_headers() -> None:
    request = sent(
        path="/p/{id}",
        path_params={"id": "{thread}"},
        query=(("after", "{message}"),),
        headers=(("x-run", "r {run}"),),
        bindings={"thread": "t1", "message": "m1", "run": "7"},
        probe=Version.MISSING,
    )
    assert ("https://t.example/openai/p/t1?after=m1", (("x-run", "r 7"),)) == (request.url, request.headers)


def test_what_a_case_binds_comes_before_what_the_run_binds() -> None:
    request = sent(path="/{a}", path_params={"a": "{b}"}, bindings={"b": "run"}, probe=Version.MISSING)
    own = to_request(
        Case("o", "GET", "/{a}", {"a": "{b}"}, bindings={"b": "own"}, api_version=Version.MISSING),
        version(),
        origin=ORIGIN,
        bindings={"b": "run"},
    )
    assert ("https://t.example/openai/run", "https://t.example/openai/own") == (request.url, own.url)


def test_a_path_parameter_without_a_value_is_never_sent() -> None:
    with pytest.raises(HarnessError, match=r"path parameter id is unbound: \{thread\}"):
        sent(path="/p/{id}", path_params={"id": "{thread}"})


def test_the_open_placeholders_of_a_case_stand_in_all_its_parts() -> None:
    """What the case binds itself is not open, and each name is told once."""
    one = Case(
        "o",
        "POST",
        "/p/{id}",
        {"id": "{thread}"},
        (("after", "{message}"),),
        (("x-run", "{run}"),),
        JsonBody({"a": "{thread}", "{file}": "{own}"}),
        bindings={"own": "1"},
    )
    assert {"thread", "message", "run", "file"} == set(placeholders(one))
    assert len(placeholders(one)) == len(set(placeholders(one)))
    assert ("raw",) == tuple(placeholders(Case("o", "POST", "/p", body=RawBody(b"\xff{raw}", "text/plain"))))
    assert () == tuple(placeholders(Case("o", "GET", "/p")))


def test_braces_around_no_placeholder_are_text() -> None:
    assert "{Not}{ a}x" == bind_text("{Not}{ a}{b}", {"b": "x", "Not": "y", " a": "z"})


# -- header fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_a_content_type_that_a_case_gives_is_the_only_one(name: str) -> None:
    """RFC 9110 section 8.3: Content-Type is no list, and the names of fields have no case (section 5.1)."""
    request = sent(headers=((name, "text/plain"), ("x-a", "b")), body=JsonBody({}))
    assert ((name, "text/plain"), ("x-a", "b")) == request.headers


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((), None),
        ((("content-type", "application/json"),), JsonBody(None)),
        ((("content-type", "text/plain"),), RawBody(b"x", "text/plain")),
        ((("content-type", "multipart/form-data; boundary=b"),), Multipart((), "b")),
        ((), RawBody(b"x", "")),
    ],
)
def test_a_body_says_its_type(headers: Any, body: Any) -> None:
    assert headers == sent(body=body).headers
    assert (("x-a", "b"), *headers) == sent(headers=(("x-a", "b"),), body=body).headers


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":[1,"x {b}"],"k":null}', {"a": [1, "x {b}"], "k": None}),
        ('{"7":"7"}', {"{run}": "{run}"}),
        ('[["7"],{"é":"7"}]', (["{run}"], {"é": "{run}"})),
        ('"7"', "{run}"),
        ("{}", {}),
        ("true", True),
    ],
)
def test_json_is_short_utf8_with_its_placeholders_bound(text: str, value: Any) -> None:
    assert (text.encode(), "application/json") == encode_body(JsonBody(value), {"run": "7"})


def test_half_a_surrogate_pair_is_sent_as_it_came() -> None:
    assert b'"\xed\xa0\x80"' == encode_body(JsonBody("\ud800"), {})[0]


@pytest.mark.parametrize(("data", "written"), [(b"\xff{run}{x}", b"\xff7{x}"), (b"\xff", b"\xff"), (b"{", b"{")])
def test_bytes_stay_bytes(data: bytes, written: bytes) -> None:
    assert (written, "text/plain") == encode_body(RawBody(data, "text/plain"), {"run": "7"})


def test_every_placeholder_of_a_raw_body_is_bound() -> None:
    assert b"1 2 1" == encode_body(RawBody(b"{a} {b} {a}"), {"a": "1", "b": "2"})[0]


# -- forms ------------------------------------------------------------------------------------------------------------


class _Read:
    """What a foreign parser of forms finds in a body."""

    def __init__(self, body: bytes, boundary: str) -> None:
        self.fields: list[tuple[str, bytes]] = []
        self.files: list[tuple[str, str, bytes]] = []
        parser = FormParser("multipart/form-data", self._field, self._file, boundary=boundary.encode())
        parser.write(body)
        parser.finalize()

    def _field(self, field: Any) -> None:
        self.fields.append((field.field_name.decode(), field.value))

    def _file(self, file: Any) -> None:
        file.file_object.seek(0)
        self.files.append((file.field_name.decode(), file.file_name.decode(), file.file_object.read()))


def test_a_form_has_the_form_of_rfc_7578() -> None:
    form = Multipart((Part("purpose", b"{p}"), Part("file", b"\xff\r\n", "a.bin", "application/x")), "b")
    wanted = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/x\r\n\r\n'
        b"\xff\r\n\r\n--b--\r\n"
    )
    assert (wanted, "multipart/form-data; boundary=b") == encode_body(form, {"p": "batch"})


def test_a_foreign_parser_reads_our_forms() -> None:
    form = Multipart((Part("a", b"1"), Part("b", b""), Part("file", b"\0\xff", "x.bin", "application/x")))
    read = _Read(encode_body(form, {})[0], form.boundary)
    assert ([("a", b"1"), ("b", b"")], [("file", "x.bin", b"\0\xff")]) == (
        [(name, value or b"") for name, value in read.fields],
        read.files,
    )


@pytest.mark.parametrize(("sign", "written"), [('"', "%22"), ("\r", "%0D"), ("\n", "%0A"), ("\r\n", "%0D%0A")])
@pytest.mark.parametrize("place", ["name", "filename"])
def test_a_name_can_end_neither_its_quotes_nor_its_line(sign: str, written: str, place: str) -> None:
    """RFC 7578 section 4.2 with the escapes of the WHATWG HTML standard, section 4.10.21.8.

    A bare CR in a header field would let a name begin a field of its own.
    """
    part = Part(f"a{sign}b", b"1", "f") if place == "name" else Part("a", b"1", f"a{sign}b")
    head = encode_body(Multipart((part,), "b"), {})[0].split(b"\r\n\r\n")[0]
    assert f'{place}="a{written}b"'.encode() in head
    assert 1 == head.count(b"\r") == head.count(b"\n")
