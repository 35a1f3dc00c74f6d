"""A killed run: its journal suffices to remove what it created, and nothing else is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.target.journal_folder import journals
from conformance.target.recovery import opener, recover

from .conftest import Board

RUN = """
import sys
from pathlib import Path
from conformance.requests.case import Case, JsonBody
from conformance.settings.configuration import Config, Target as T
from conformance.target.journal import Journal
from conformance.spec.loading import load
from conformance.target.target import Target

url, folder = sys.argv[1:]
spec = load("2024-05-01-preview")
create = Case("assistants.create", "POST", "/assistants", body=JsonBody({"model": "m"}))
journal = Journal(Path(folder), target=url, api_version=spec.version)
target = Target(Config(target=T(url=url, key="canary-key")), spec, journal=journal)
for _ in range(3):
    target.send(create)
print("created", flush=True)
sys.stdin.read()
"""


def test_a_killed_run_is_cleaned_up_and_foreign_objects_stay(board: Board, tmp_path: Path) -> None:
    kept = {"asst_0000": "foreign", "asst_0004": "foreign, of the same form"}

    def answer(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        name = path.rpartition("/")[2]
        if method == "POST":
            made = f"asst_{number:04}"
            kept[made] = "ours"
            return 200, {"id": made, "object": "assistant"}
        if method == "DELETE" and kept.pop(name, None):
            return 200, {"id": name, "deleted": True}
        return 404, {"error": {"code": None, "message": "nothing there"}}

    board.answer = answer
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, board.url, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"created"
        assert journals(tmp_path) == (), "the journal of a living run is not to be touched"
        process.kill()
    assert len(kept) == 5
    (path,) = journals(tmp_path)
    assert "canary-key" not in path.read_text()
    config = Config(target=TargetConfig(url=board.url, key="canary-key"))
    (done,) = recover(journals(tmp_path), opener(config))
    assert (done.cleaned.removed, done.cleaned.left) == (3, ())
    assert sorted(kept) == ["asst_0000", "asst_0004"]
    assert journals(tmp_path) == ()
