"""Videos with the openai package, at the emulator of a published document that has them; the traffic is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from client_methods import routes
from client_recorder import KEY, Recorder
from openai import OpenAI
from traffic import Recording

from conformance.cli import main
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.importing import import_file
from conformance.verdict import Outcome
from reports import jsonl

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "official-specs"

#: Methods of the package that the document has no route for.
ELSEWHERE = {"create_character", "get_character", "edit", "extend"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of the end of the other service
@pytest.mark.skipif(not SHARED.is_dir(), reason="the published documents are not beside the checkout")
def test_every_method_of_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = tmp_path / "versions", tmp_path / "traffic.jsonl"
    import_file(SHARED / "v1-preview.json", "v1-preview", folder)
    spec = load("v1-preview", folder)
    assert {"videos.create", "videos.remix", "videos.content"} <= set(operations_of(spec))
    app = App.of("v1-preview", settings=Settings(key=KEY), folder=folder)
    with running(asgi(app)) as url, httpx.Client(transport=Recording(file), timeout=20) as http:
        client = OpenAI(base_url=f"{url}{spec.base_path}", api_key=KEY, max_retries=0, http_client=http)
        recorder = Recorder(client)
        story(recorder)
    assert set() == recorder.notes.misfits
    ours = {name.partition(".")[2] for name in routes() if name.startswith("videos.")} - ELSEWHERE
    assert ours == {name.partition(".")[2] for name in recorder.notes.answered}
    code = main(
        ["judge", str(file), "--api-version", spec.version, "--specs", str(folder), "-o", str(tmp_path / "out")]
    )
    wrong = [
        (one.check, one.findings[:1])
        for one in jsonl.read(tmp_path / "out" / spec.version).verdicts
        if one.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    ]
    assert ([], 0) == (wrong, code), capsys.readouterr().out


def story(client: Any) -> None:
    """Videos are made, watched, fetched, remixed and deleted."""
    videos = client.videos
    first = videos.create(model="sora", prompt="a boat")
    assert ("queued", "4", "720x1280") == (first.status, first.seconds, first.size)
    with pytest.raises(openai.BadRequestError):
        videos.download_content(first.id)
    assert "completed" == videos.poll(first.id, poll_interval_ms=1).status
    assert videos.download_content(first.id).content.startswith(b"\0\0\0\x18ftyp")
    assert videos.download_content(first.id, variant="thumbnail").content.startswith(b"\xff\xd8")
    other = videos.create_and_poll(model="sora", prompt="a train", seconds="8", poll_interval_ms=1)
    assert ("completed", "8") == (other.status, other.seconds)
    assert other == videos.retrieve(other.id)
    again = videos.remix(first.id, prompt="a red boat")
    assert (first.id, "queued") == (again.remixed_from_video_id, again.status)
    assert [again.id, other.id, first.id] == [one.id for one in videos.list(limit=2)]
    assert videos.delete(again.id).deleted
    with pytest.raises(openai.NotFoundError):
        videos.retrieve(again.id)
