"""Documented examples as traffic: each request and answer of a reference page or a published file, wrapped as HAR.

Judged, they show nothing but the mistakes of the examples themselves, each of which is named here. The documents don't
come with the checkout; without them these tests skip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from miniatures import Entry, as_har

from conformance.cli import main
from conformance.spec.loading import load, versions
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.spectools.examples import bodies, ledger
from conformance.verdict import Outcome
from reports import jsonl

#: (check, operation) → what is wrong with the examples that it objects to.
MISTAKES = {
    ("images.count", "images.generations.create"): "Two images are shown, and one was asked for.",
    ("lists.ends", "threads.runs.steps.list"): "last_id names a step that isn't on the page.",
    ("stores.batch.total", "vector_stores.file_batches.create"): "Two files are sent, and none is counted.",
}

#: The least number of examples in all.
LEAST = 60

WITH_EXAMPLES = sorted({row["version"] for row in ledger()["witness"]})


def _path(operation: Operation, value: Any) -> str:
    """The path of an example, with the ids that its answer shows."""
    one = value if isinstance(value, Mapping) else {}
    data = one.get("data")
    shown = data[0] if isinstance(data, list) and data and isinstance(data[0], Mapping) else one

    def found(name: re.Match[str]) -> str:
        if "deployment" in name[1]:
            return "d"
        own = operation.path.endswith(name[0]) or operation.path.endswith(name[0] + "/cancel")
        return str(shown.get(name[1]) or one.get(name[1]) or (one.get("id") if own else None) or "none_1")

    return re.sub(r"\{([^}]+)\}", found, operation.path)


def _entries(spec: Spec, shared: Path) -> Iterator[Entry]:
    """Yield the examples that fit the corrected document, as exchanges. Files and sounds stand for themselves there."""
    listed = {item["where"] for version in versions() for item in load(version).wrong_examples}
    query = f"?api-version={spec.version}" if spec.surface == "dated" else ""
    asked: Any = None
    for body in bodies(spec, shared):
        if body.side == "request":
            asked = body
            continue
        request, asked = asked, None
        if not body.operation or body.where in listed or isinstance(body.value, str):
            continue
        operation = operations_of(spec)[body.operation]
        sent = request.value if request is not None and request.operation == body.operation else None
        yield {
            "method": operation.method,
            "url": f"https://e.example{spec.base_path}{_path(operation, body.value)}{query}",
            "request_headers": [["content-type", "application/json"]] if sent is not None else [],
            "request_body": sent,
            "status": int(body.side),
            "headers": [["content-type", "application/json"], ["apim-request-id", "1"]],
            "body": "" if body.value is None else body.value,
        }


@pytest.fixture(scope="module")
def shared() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared"
    if not folder.is_dir():
        pytest.skip("the documents do not come with the checkout")
    return folder


@pytest.mark.parametrize("version", WITH_EXAMPLES)
def test_documented_examples_show_only_their_own_mistakes(version: str, shared: Path, tmp_path: Path) -> None:
    file = tmp_path / "examples.har"
    file.write_text(as_har(list(_entries(load(version), shared))), "utf-8")
    main(["judge", str(file), "--api-version", version, "-o", str(tmp_path / "out")])
    found = {
        (one.check, one.scenario.removeprefix("recorded.")): one.findings[:1]
        for one in jsonl.read(tmp_path / "out" / version).verdicts
        if one.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    }
    assert {} == {key: value for key, value in found.items() if key not in MISTAKES}


def test_there_are_enough_of_them(shared: Path) -> None:
    assert LEAST <= sum(len(list(_entries(load(version), shared))) for version in WITH_EXAMPLES)
