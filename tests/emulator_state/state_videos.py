"""A walk through the videos of later documents: made, watched, fetched, remixed and deleted."""

from __future__ import annotations

from state_steps import paged
from state_talk import Talk


def videos(talk: Talk) -> None:
    """Each video lives its life, and refuses what it isn't ready for."""
    asked = {"model": "sora", "prompt": "a river"}
    made = [talk.ok("videos.create", body={**asked, **more}) for more in ({}, {"seconds": "8"}, {"size": "1280x720"})]
    assert ("queued", 0, "4", "720x1280") == tuple(made[0][name] for name in ("status", "progress", "seconds", "size"))
    paged(talk, "videos.list")
    first, second, third = (one["id"] for one in made)
    assert 400 == talk.status("videos.content", first)
    assert 400 == talk.status("videos.remix", first, body={"prompt": "a red river"})
    looks = [talk.ok("videos.get", first)["status"] for _ in range(4)]
    assert ["in_progress", "completed", "completed", "completed"] == looks
    assert talk.send("videos.content", first).body != talk.send("videos.content", first, query={"variant": "thumbnail"})
    again = talk.ok("videos.remix", first, body={"prompt": "a red river"})
    assert first == again["remixed_from_video_id"]
    for id in (again["id"], again["id"], first):
        talk.ok("videos.get", id)
    talk.ok("videos.list")
    for id in (first, second):
        assert talk.ok("videos.delete", id)["deleted"]
    for operation in ("videos.get", "videos.content", "videos.delete"):
        assert 404 == talk.status(operation, first)
    talk.ok("videos.get", third)
    talk.ok("videos.list")
