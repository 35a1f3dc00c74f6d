"""Each probe differs from a valid request only in the one thing that it is named after."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from corpus_stage import PROVED, STANDARD, corpus

from conformance.corpus.corpus import Corpus
from conformance.requests.case import Auth, Case, Expect
from conformance.requests.request import Request
from conformance.requests.wire import to_request

KNOWN = {"deployment": "d", "run": "r"}


def _sent(made: Corpus, case: Case) -> Request:
    bound = case.bind(**dict.fromkeys(("x",), "x"))
    values = {**KNOWN, **{text.strip("{}"): "id-" + name for name, text in case.path_params.items() if "{" in text}}
    return to_request(bound, made.spec, origin="http://t", bindings=values)


def _parts(request: Request) -> dict[str, object]:
    url = urlsplit(request.url)
    return {
        "method": request.method,
        "path": url.path,
        "query": tuple(parse_qsl(url.query)),
        "headers": tuple(sorted(request.headers)),
        "body": request.body,
    }


#: Role → the parts that may differ from the valid request.
DIFFERS = {
    "probe.auth.none": set(),
    "probe.auth.wrong": set(),
    "probe.api-version.missing": {"query"},
    "probe.api-version.unknown": {"query"},
    "probe.method.wrong": {"method", "body", "headers", "path"},
    "probe.route.unknown": {"path"},
    "probe.json.malformed": {"body"},
    "probe.json.truncated": {"body"},
    "probe.json.duplicate-key": {"body"},
    "probe.json.deep": {"body"},
    "probe.content-type.wrong": {"headers"},
    "probe.form.boundary": {"headers"},
    "probe.form.truncated": {"body"},
}


# Not at smoke, which may send a probe without the request that it was made of.
@pytest.mark.parametrize("version", STANDARD)
def test_a_probe_differs_from_a_valid_request_only_in_what_it_names(version: str) -> None:
    made = corpus(version)
    count = 0
    for row in made.operations.values():
        good = [_parts(_sent(made, case)) for case in row.cases if case.expect is not Expect.REJECT and not case.breaks]
        if row.cases[0].method == "DELETE":
            continue
        for case in row.cases:
            allowed = DIFFERS.get(case.role)
            if allowed is None:
                continue
            count += 1
            mine = _parts(_sent(made, case))
            assert any({key for key in mine if mine[key] != other[key]} <= allowed for other in good), case.id
            if case.role.startswith("probe.auth"):
                assert case.auth is not Auth.VALID
    assert count > 10


@pytest.mark.parametrize("version", PROVED)
def test_broken_json_is_broken_and_the_rest_is_not(version: str) -> None:
    for case in corpus(version):
        if case.role in ("probe.json.malformed", "probe.json.truncated"):
            with pytest.raises(ValueError, match=r"."):
                json.loads(case.body.data)  # type: ignore[union-attr]
        elif case.role in ("probe.json.duplicate-key", "probe.content-type.wrong"):
            pairs = json.loads(case.body.data, object_pairs_hook=list)  # type: ignore[union-attr]
            names = [name for name, _ in pairs]
            assert (len(names) - len(set(names))) == (1 if case.role.endswith("duplicate-key") else 0)
