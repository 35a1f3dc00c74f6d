"""A report says everything once, and what is read is what was written, in this form and in the one before it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from test_reports import FOOTER, HEADER, observation, validator

from conformance._parts import part
from conformance.cli import main
from conformance.errors import UsageError
from conformance.evidence.exchange import Chunk, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Auth, Break, Case, Expect, Family, Multipart, Part
from conformance.verdict import Finding, Level, Outcome, Unjudged, Verdict

chain = part("reports.chain")
compact = part("reports.compact")
jsonl = part("reports.jsonl")
evidence_json = part("reports.evidence_json")

#: What every answer has, and what a target says of each.
ALIKE = (("content-type", "application/json; charset=utf-8"), ("x-ms-region", "a region of the north"))


def seen(number: int) -> Observation:
    """A request that creates something, and its answer."""
    undo = Case("o.delete", "DELETE", "/things/{id}", bindings={"id": "of the thing that it made"})
    one = observation({"n": number}, undo=undo, family=Family.BOUNDARY, bindings={"thing": f"thing-{number:020}"})
    answer = Response(200, (*ALIKE, ("x-request-id", f"{number:020}")), (Chunk(0.5, b"{}"),), elapsed=0.5)
    return Observation(one.case, one.exchange.answered(answer))


def odd() -> Iterator[Observation]:
    """Exchanges that have no usual value anywhere, or a long content."""
    long = random.Random(1).randbytes(500) * 20
    plain = observation({"text": "x" * 5_000, "z": 1, "a": "\ud800"})
    yield plain
    parts = Multipart((Part("file", long, "a name", "text/plain"), Part("purpose", b"x", None, None)), "boundary")
    case = Case(
        "o", "PUT", "/p", body=parts, expect=Expect.REJECT, level=Level.SHOULD, auth=Auth.WRONG, cancel_after=0.5
    )
    case = evolve(case, breaks=Break("/x", "maxLength"), cost=evolve(case.cost, tokens=5), reason="a reason of its own")
    broken = evolve(plain.exchange, response=None, fault=Fault(FaultKind.CLOSED, "closed", 0.5), control_ok=False)
    yield Observation(case, evolve(broken, attempts=(plain.exchange, broken), outside="the network"))
    cut = Response(
        206, (), (Chunk(0.1, long), Chunk(0.2, "é".encode() * 3_000)), complete=False, http_version="HTTP/1.0"
    )
    yield Observation(case, evolve(plain.exchange, response=cut, control_ok=True))


def verdicts() -> list[Verdict]:
    cases = tuple(f"{n:012x}" for n in range(50))
    found = Finding("wrong", cases[0], "/x", level=Level.SHOULD)
    part_of = (Unjudged(Outcome.NOT_TESTABLE, "the target answered 500", 31),)
    made = [Verdict(f"c{n}.check", "corpus.o", Outcome.PASS, judged=50, cases=cases) for n in range(20)]
    return [
        *made,
        Verdict("d.check", "corpus.o", Outcome.FAIL, (found,), 3, cases=cases, unjudged=part_of, stable=False),
    ]


def written(folder: Path, *traces: Trace) -> Any:
    folder.mkdir(exist_ok=True)
    return jsonl.write(folder / jsonl.NAME, HEADER, traces, verdicts(), FOOTER)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / jsonl.NAME).read_bytes().splitlines()]


TRACES = (Trace("corpus.o", tuple(map(seen, range(200)))), Trace("odd.o", tuple(odd()), "early", Outcome.ERROR))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    report = written(tmp_path, *TRACES)
    for one in (report, jsonl.read(tmp_path)):
        assert list(TRACES) == [one.traces[trace.scenario] for trace in TRACES]
        assert tuple(verdicts()) == one.verdicts


def test_a_value_that_occurs_again_and_again_is_written_twice_at_most(tmp_path: Path) -> None:
    """Once where nobody could know that it comes again, and once where it is shared."""
    written(tmp_path, *TRACES)
    text = (tmp_path / jsonl.NAME).read_text("utf-8")
    for value in (
        "a region of the north",
        "application/json; charset=utf-8",
        "of the thing that it made",
        f"{13:012x}",
    ):
        assert text.count(value) <= 2, value
    # The name of what each request is about is its own.
    assert 1 == text.count(f"thing-{7:020}")


def test_what_is_usual_is_not_written_and_the_schema_says_what_it_is(tmp_path: Path) -> None:
    schema = validator().schema["$defs"]
    exchange = schema["exchange"]["properties"]
    places: Mapping[str, Any] = {
        "case": schema["case"]["properties"],
        "exchange": exchange,
        "request": exchange["request"]["properties"],
        "response": exchange["response"]["oneOf"][1]["properties"],
        "verdict": schema["verdict"]["properties"],
    }
    stated = {
        kind: {name: value["default"] for name, value in found.items() if "default" in value}
        for kind, found in places.items()
    }
    assert compact.DEFAULTS == stated
    plain = Case("o", "POST", "/p").to_json()
    assert {"id", "operation", "method", "path"} == {*plain} - {*compact.DEFAULTS["case"]}
    assert compact.DEFAULTS["case"] == {name: plain[name] for name in compact.DEFAULTS["case"]}


def test_each_line_has_the_documented_form(tmp_path: Path) -> None:
    written(tmp_path, *TRACES)
    assert [] == [error.message[:300] for line in lines_of(tmp_path) for error in validator().iter_errors(line)]


def test_merged_files_share_anew(tmp_path: Path) -> None:
    """Numbers are those of one file. A value that two parts share is written once in the whole report."""
    parts = [written(tmp_path / name, evolve(TRACES[0], scenario=name)) for name in ("a", "b")]
    merged = jsonl.write(
        tmp_path / jsonl.NAME, HEADER, [(one, name) for one, name in zip(parts, "ab", strict=True)], verdicts(), FOOTER
    )
    for one in (merged, jsonl.read(tmp_path)):
        assert [TRACES[0].observations] * 2 == [one.traces[name].observations for name in "ab"]
    assert (tmp_path / jsonl.NAME).read_text("utf-8").count("a region of the north") <= 2


def test_a_report_of_the_format_before_is_read(tmp_path: Path) -> None:
    """It had every member of every line, and no shared lines."""
    link = chain.Chain()
    told = [{"type": "header", "format": "2.2", **HEADER}]
    for trace in TRACES:
        told += [
            {"type": "exchange", "scenario": trace.scenario, **evidence_json.observation_to_json(one)} for one in trace
        ]
        end = {"ended": trace.ended, "outcome": trace.outcome, "exchanges": len(trace.observations)}
        told.append({"type": "trace", "scenario": trace.scenario, **end})
    told += [{"type": "verdict", **evidence_json.verdict_to_json(verdict)} for verdict in verdicts()]
    told.append({"type": "footer", **FOOTER})
    before = b"".join(link.line(line) for line in told)
    (tmp_path / jsonl.NAME).write_bytes(before)
    report = jsonl.read(tmp_path)
    assert list(TRACES) == [report.traces[trace.scenario] for trace in TRACES]
    assert tuple(verdicts()) == report.verdicts
    again = tmp_path / "again"
    written(again, *TRACES)
    assert len((again / jsonl.NAME).read_bytes()) * 3 < len(before)


@pytest.mark.parametrize("version", ["1.0", "4.0", "none"])
def test_another_format_is_refused_by_its_name(
    tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = chain.Chain().line({"type": "header", **HEADER, "format": version})
    (tmp_path / jsonl.NAME).write_bytes(line)
    assert 2 == main(["site", str(tmp_path), "--out", str(tmp_path / "site")])
    told = capsys.readouterr().err
    assert f"report format '{version}' can't be read, only 2.x and 3.x" in told
    assert str(tmp_path / jsonl.NAME) in told
    assert 1 == len(told.splitlines())


DAMAGED = {
    "a number that nobody shared": ('"headers":[', '"headers":[7,'),
    "packed data that is none": ('{"zlib":"', '{"zlib":"!'),
    "values that are no list": ('"values":[', '"values":5,"other":['),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_line_that_can_t_be_is_named(tmp_path: Path, name: str) -> None:
    """Also with a chain that fits: somebody else's program may write such a file."""
    written(tmp_path, *TRACES)
    before, after = DAMAGED[name]
    link, told = chain.Chain(), []
    for line in lines_of(tmp_path):
        del line["chain"]
        told.append(line)
    texts = [json.dumps(line, separators=(",", ":")) for line in told]
    place = next(n for n, text in enumerate(texts) if before in text)
    told[place] = json.loads(texts[place].replace(before, after, 1))
    (tmp_path / jsonl.NAME).write_bytes(b"".join(link.line(line) for line in told))
    with pytest.raises(UsageError, match=f"{jsonl.NAME}:{place + 1}"):
        jsonl.read(tmp_path)


def test_a_short_text_does_not_unpack_to_a_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "LARGEST", 1 << 20)
    assert b"x" * (1 << 20) == compact.unpacked(compact.packed(b"x" * (1 << 20)))
    with pytest.raises(ValueError, match="longer than 1048576 bytes"):
        compact.unpacked(compact.packed(b"x" * (1 << 20) + b"x"))
