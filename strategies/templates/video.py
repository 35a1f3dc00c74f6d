"""Templates for video generation jobs, and for videos of later documents."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import TemplateContext, template


@template("video.generations.jobs.create")
def jobs(context: TemplateContext) -> Iterator[Draft]:
    """The shortest and smallest video; also one that starts from a picture."""
    body = {"prompt": "A boat on a lake.", "width": 480, "height": 480, "n_seconds": 1, "n_variants": 1}
    yield context.draft("video.plain", body)
    yield context.draft("video.minimal", {"prompt": "A boat on a lake.", "width": 480, "height": 480})
    crop = {"left_fraction": 0.25, "right_fraction": 0.75, "top_fraction": 0, "bottom_fraction": 1}
    inpaint = {"frame_index": 0, "type": "image", "file_name": "picture.png", "crop_bounds": crop}
    yield context.draft(
        "video.picture",
        {**body, "files": ["file:png"], "inpaint_items": [inpaint]},
        either="how an object is written into a form isn't documented",
    )


@template("videos.create")
def videos(context: TemplateContext) -> Iterator[Draft]:
    """The shortest video; also one of which only the prompt is said, and a wide one."""
    body = {"model": "{deployment}", "prompt": "A boat on a lake.", "seconds": "4", "size": "720x1280"}
    yield context.draft("video.plain", body)
    yield context.draft("video.minimal", {"model": "{deployment}", "prompt": "A boat on a lake."})
    yield context.draft("video.wide", {**body, "size": "1280x720"})
