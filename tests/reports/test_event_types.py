"""The report of event types counts what came, and names what the document has and nobody saw."""

from __future__ import annotations

from pathlib import Path

from good_streams import good
from test_reports import FOOTER, HEADER

from conformance._parts import part
from conformance.evidence.trace import Trace

event_types, jsonl = part("reports.event_types"), part("reports.jsonl")


def test_the_types_of_a_protocol_are_counted(tmp_path: Path) -> None:
    """A Responses stream of eleven types, played once."""
    observation, version = good()["response"]
    jsonl.write(tmp_path / jsonl.NAME, {**HEADER, "api_version": version}, [Trace("s", (observation,))], [], FOOTER)
    text = event_types.render(jsonl.read(tmp_path), "out")
    assert "1 streams asked for, 1 answered; 11 of " in text
    assert "| response.output_text.delta | yes | 2 |" in text
    assert "| response.refusal.delta | yes | 0 |" in text
    assert "not conformant" in text


def test_spellings_of_one_type_are_one_type(tmp_path: Path) -> None:
    """A target sends one of them; the other one isn't missing. Other types of texts are types of their own."""
    observation, version = good()["response"]
    jsonl.write(tmp_path / jsonl.NAME, {**HEADER, "api_version": version}, [Trace("s", (observation,))], [], FOOTER)
    text = event_types.render(jsonl.read(tmp_path), "out")
    assert "| response.mcp_call.arguments_delta or response.mcp_call_arguments.delta | yes | 0 |" in text
    assert "\n| response.mcp_call_arguments.delta |" not in text
    assert "\n| response.output_text.delta |" in text


def test_an_unknown_version_and_a_truncated_run_are_told(tmp_path: Path) -> None:
    """Nothing is made up where the documents aren't at hand."""
    jsonl.write(tmp_path / jsonl.NAME, HEADER, [], [], FOOTER)
    assert "are not at hand" in event_types.render(jsonl.read(tmp_path), "out")
    file = tmp_path / jsonl.NAME
    file.write_bytes(file.read_bytes()[:-5])
    assert "truncated" in event_types.render(jsonl.read(file), "out")
