"""Files that a target changes."""

from __future__ import annotations

from attrs import evolve
from wild_answers import V1, form
from wire_stage import Example, Played, WireCase, answer, exchanged, played

from conformance.evidence.trace import Observation
from conformance.scenarios.files import BINARY


def read_back(example: Example) -> Played:
    """The content of the binary file. An example shows what became of a few bytes; the file has them all."""
    sent, got = bytes.fromhex(example["uploaded_hex"]), bytes.fromhex(example["got_hex"])
    data = BINARY.data if got == sent else BINARY.data.decode("utf-8", "replace").encode()
    assert got == (sent if got == sent else sent.decode("utf-8", "replace").encode())
    file = form(file=(BINARY.filename, BINARY.data, BINARY.content_type), purpose=BINARY.purpose)
    made = exchanged("files.upload", file, answer({"body": FILE}), V1, role="binary.upload")
    media = [["Content-Type", "application/octet-stream"]]
    content = exchanged("files.content", None, answer({"headers": media, "body_hex": data.hex()}), V1)
    content = Observation(evolve(content.case, role="binary.content"), content.exchange)
    return played(made, content, version=V1, scenario="files.content")


FILE = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "assistants",
        "status": "processed", "status_details": None}  # fmt: skip
CASES = (
    WireCase(
        "file-content-not-utf-8",
        "fail",
        read_back,
        {"uploaded_hex": "41fe42", "got_hex": "41efbfbd42"},
        told={"files.content.binary": "U+FFFD"},
        near=[{"uploaded_hex": "41fe42", "got_hex": "41fe42"}],
    ),
)
