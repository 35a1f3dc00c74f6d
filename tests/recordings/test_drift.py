"""Unknown members of open unions are drift: named and counted in every report, and they never fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from good_streams import SPOKEN_RESPONSE, played
from miniatures import as_lines, entry

from conformance.cli import main
from conformance.schema.drift import Drift, drift_of
from conformance.schema.validators import validator_for
from conformance.spec.loading import load
from reports import jsonl

SPEC = load("v1-preview")
ITEM = "/components/schemas/OpenAI.ItemResource"
RESPONSE: dict[str, Any] = SPOKEN_RESPONSE[-1]["response"]
ASKED = {"model": "gpt-4o", "input": "Say hello."}
NEW = {"id": "x_1", "type": "telepathy_call", "status": "completed"}
DRIFTED = {**RESPONSE, "output": [*RESPONSE["output"], NEW]}


def drift(pointer: str, value: Any) -> list[tuple[Drift, ...]]:
    """What each error of a value amounts to."""
    return [drift_of(SPEC, error, value) for error in validator_for(SPEC, pointer).errors(value)]


def judged(folder: Path, *answers: Any, stream: bool = False) -> jsonl.Report:
    """The report on responses with these answers."""
    body = {**ASKED, "stream": True} if stream else ASKED
    lines = as_lines(entry("/v1/responses", answer, body=body, query="") for answer in answers)
    (folder / "a.jsonl").write_text(lines, "utf-8")
    main(["judge", str(folder / "a.jsonl"), "-o", str(folder / "out"), "--api-version", SPEC.version])
    return jsonl.read(folder / "out" / "v1-preview")


def conclusion(report: jsonl.Report) -> str:
    assert report.footer is not None
    return str(report.footer["conclusion"])


def test_an_unknown_member_is_drift_with_its_place_and_value() -> None:
    assert [(Drift("/type", "/type", "telepathy_call"),)] == drift(ITEM, NEW)


@pytest.mark.parametrize(
    "value",
    [{"id": "x"}, {"id": "x", "type": 5}, {"id": "x", "type": None}, {"id": "x", "type": ""}, "telepathy_call"],
    ids=["no type", "a number", "null", "an empty text", "no object"],
)
def test_what_names_no_member_is_a_mistake(value: Any) -> None:
    assert () in drift(ITEM, value)


def test_a_known_member_with_wrong_fields_is_a_mistake() -> None:
    assert {()} == set(drift(ITEM, {"id": "f", "type": "function_call", "call_id": 7, "name": "f", "arguments": "{}"}))


def test_a_mistake_beside_drift_remains_one() -> None:
    found = drift("/components/schemas/AzureResponse", {**DRIFTED, "created_at": "today"})
    assert () in found
    assert (Drift("/output/*/type", f"/output/{len(RESPONSE['output'])}/type", "telepathy_call"),) in found


def test_a_closed_union_has_no_drift() -> None:
    assert {()} == set(drift("/components/schemas/OpenAI.ResponseTextFormatConfiguration", {"type": "poem"}))


def test_every_closed_union_is_there_and_each_closed_name_has_listed_values() -> None:
    for pointer in SPEC.facts.closed_unions:
        assert "discriminator" in SPEC.resolve("#" + pointer) or "oneOf" in SPEC.resolve("#" + pointer), pointer
    text = json.dumps(SPEC.document)
    assert [] == [name for name in SPEC.facts.closed_values if f'"{name}": {{' not in text]


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ({"status": "finished"}, "/status", "finished"),
        ({"truncation": "later"}, "/truncation", "later"),
        ({"tool_choice": "sometimes"}, "/tool_choice", "sometimes"),
        ({"status": "incomplete", "incomplete_details": {"reason": "moon"}}, "/incomplete_details/reason", "moon"),
    ],
)
def test_an_unlisted_value_of_an_answer_is_drift(change: Any, path: str, value: str) -> None:
    assert [(Drift(path, path, value),)] == drift("/components/schemas/AzureResponse", {**RESPONSE, **change})


@pytest.mark.parametrize("change", [{"object": "reply"}, {"status": ""}, {"status": 5}], ids=str)
def test_what_a_thing_is_and_what_names_nothing_stays_a_mistake(change: Any) -> None:
    assert {()} == set(drift("/components/schemas/AzureResponse", {**RESPONSE, **change}))


def test_a_member_of_a_union_with_a_wrong_field_is_not_taken_for_one_with_a_new_type() -> None:
    """Without a discriminator each branch lists its own type; the value has that of the first one."""
    one = {"properties": {"type": {"enum": ["one"]}, "size": {"type": "integer"}}}
    other = {"properties": {"type": {"enum": ["other"]}}}
    union = {"anyOf": [{"anyOf": [other, other]}, one, other]}
    validator = validator_for(SPEC, union)
    wrong, new = {"type": "one", "size": "x"}, {"type": "new", "size": "x"}
    assert [()] == [drift_of(SPEC, error, wrong) for error in validator.errors(wrong)]
    assert [(Drift("/type", "/type", "new"),)] == [drift_of(SPEC, error, new) for error in validator.errors(new)]


def test_a_value_of_an_open_list_is_drift_and_of_a_closed_one_a_mistake(tmp_path: Path) -> None:
    error = {"code": "out_of_luck", "message": "No."}
    failed = {**RESPONSE, "status": "failed", "output": [], "error": error}
    report = judged(tmp_path, failed, RESPONSE)
    assert "conformant" == conclusion(report)
    assert ["out_of_luck"] == [each["value"] for each in (report.footer or {})["drift"]]
    report = judged(tmp_path, {**RESPONSE, "status": "finished"})
    assert "conformant" == conclusion(report)
    assert ["finished"] == [each["value"] for each in (report.footer or {})["drift"]]
    assert "not conformant" == conclusion(judged(tmp_path, {**RESPONSE, "object": "reply"}))


def test_drift_stands_in_every_report_and_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = judged(tmp_path, RESPONSE, DRIFTED, DRIFTED)
    assert "conformant" == conclusion(report)
    (found,) = (report.footer or {})["drift"]
    assert ("responses.create", "/output/*/type", "telepathy_call", 2) == (
        *(found[name] for name in ("operation", "path", "value", "count")),
    )
    assert found["case"] in {seen.case.id for trace in report.traces.values() for seen in trace}
    folder = tmp_path / "out" / "v1-preview"
    for name in ("summary.md", "index.html"):
        assert "Drift" in (folder / name).read_text("utf-8")
        assert "telepathy_call" in (folder / name).read_text("utf-8")
    assert "drift: 1 values that the document doesn't list: telepathy_call" in capsys.readouterr().out
    assert 0 == main(["verify", str(tmp_path / "out")])
    schema = json.loads((Path(jsonl.__file__).parent / "schema.json").read_text("utf-8"))
    lines = (folder / "report.jsonl").read_text("utf-8").splitlines()
    validator = jsonschema.Draft202012Validator(schema)
    assert [] == [error.message for line in lines for error in validator.iter_errors(json.loads(line))]


def test_a_report_without_drift_says_nothing_of_it(tmp_path: Path) -> None:
    report = judged(tmp_path, RESPONSE)
    assert "drift" not in (report.footer or {})
    assert "Drift" not in (tmp_path / "out" / "v1-preview" / "summary.md").read_text("utf-8")


def test_unknown_events_are_drift_too(tmp_path: Path) -> None:
    parts = (*SPOKEN_RESPONSE[:2], {"type": "response.telepathy.delta"}, *SPOKEN_RESPONSE[2:])
    report = judged(tmp_path, played(*parts).decode(), stream=True)
    assert "conformant" == conclusion(report)
    assert [("event", "response.telepathy.delta")] == [
        (each["path"], each["value"]) for each in (report.footer or {})["drift"]
    ]


def test_compare_names_drift_that_is_new_and_alarms_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, answer in (("a", RESPONSE), ("b", DRIFTED)):
        (tmp_path / name).mkdir()
        judged(tmp_path / name, answer)
    before, after = (str(tmp_path / name / "out") for name in "ab")
    capsys.readouterr()
    assert 0 == main(["compare", before, after])
    assert "telepathy_call  at /output/*/type of responses.create" in capsys.readouterr().out
    assert 0 == main(["compare", after, before])
    assert "new drift" not in capsys.readouterr().out
    assert 0 == main(["compare", before, after, "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert [{"operation": "responses.create", "path": "/output/*/type", "value": "telepathy_call"}] == found["drift"]
