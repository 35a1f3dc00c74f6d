"""Templates for files and batches: valid JSON Lines for each purpose."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import TemplateContext, template

#: Purpose → the sample file that is uploaded for it.
CONTENT = {
    "assistants": "file:text",
    "batch": "file:batch",
    "fine-tune": "file:fine-tune",
    "evals": "file:evals",
    "user_data": "file:text",
    "vision": "file:png",
}


@template("files.upload")
def uploads(context: TemplateContext) -> Iterator[Draft]:
    """One file per purpose; a setup case picks the purpose that it needs."""
    for purpose, file in CONTENT.items():
        either = "" if purpose in ("assistants", "batch", "fine-tune") else "purposes differ between regions"
        body = {"purpose": purpose, "file": file}
        if either and purpose == "evals":
            either = ""
        yield context.draft(f"files.upload.{purpose}", body, either=either)
    # A second file with other content: a job refuses its training file for validation.
    yield context.draft("files.upload.validate", {"purpose": "fine-tune", "file": "file:validate"})
    yield context.draft("files.upload.scripts", {"purpose": "assistants", "file": "file:unicode"})
    yield context.draft("files.upload.empty", {"purpose": "assistants", "file": "file:empty"}, either="an empty file")
    wrong = {"purpose": "fine-tune", "file": "file:text"}
    yield context.draft("files.upload.wrong-content", wrong, either="the content may be judged at once or later")
    lasting = {
        "purpose": "assistants",
        "file": "file:text",
        "expires_after": {"anchor": "created_at", "seconds": 86400},
    }
    yield context.draft("files.upload.expires", lasting, either="how an object is written into a form isn't documented")


@template("batches.create")
def batches(context: TemplateContext) -> Iterator[Draft]:
    """A batch over an uploaded file."""
    body = {"input_file_id": "{file_id.batch}", "endpoint": "/chat/completions", "completion_window": "24h"}
    yield context.draft("batches.create", body)
    yield context.draft("batches.create.prefixed", {**body, "endpoint": "/v1/chat/completions"})
    yield context.draft("batches.create.metadata", {**body, "metadata": {"suite": "conformance"}})
