"""Upper bounds of what a request consumes, and the opt-in kind of requests that are expensive on a live target."""

from __future__ import annotations

from typing import Any

from conformance.requests.case import Case, Cost, JsonBody, Multipart, body_to_json

__all__ = ["EXPENSIVE", "MODEL_ANSWERS", "cost_of", "expensive_kind"]

#: The kinds of requests that are sent off loopback only when they are named with ``--expensive``.
EXPENSIVE = (
    "n",
    "images",
    "video",
    "fine-tuning",
    "evals",
    "batch",
    "code-interpreter",
    "file-search",
    "large-body",
)

#: Tokens assumed for an answer whose length the request doesn't limit.
UNBOUNDED = 4096

#: The operations that make a model produce an answer.
MODEL_ANSWERS = (
    "chat.completions.create",
    "completions.create",
    "responses.create",
    "threads.runs.create",
    "threads.create_and_run",
    "threads.runs.submit_tool_outputs",
    "fine_tuning.alpha.graders.run",
)

#: The body fields that limit the length of an answer, in the order in which they count.
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def _whole(value: Any, otherwise: int) -> int:
    """The value if it is a non-negative integer, else ``otherwise``."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _size(value: Any) -> int:
    """The number of characters of a value as text; 0 for None."""
    return len(str(value)) if value is not None else 0


def cost_of(case: Case) -> Cost:
    """Upper bounds of what a case consumes.

    Input tokens: one per three characters of the body. Output tokens: the length limit times the number of answers.
    Images: ``n``. Seconds: of video or audio.
    """
    body = case.json if isinstance(case.body, JsonBody) else None
    body = body if isinstance(body, dict) else {}
    if case.method != "POST":
        return Cost()
    count = max(_whole(body.get("n"), 1), _whole(body.get("best_of"), 1), 1)
    if case.operation in MODEL_ANSWERS:
        limit = next((_whole(body[key], UNBOUNDED) for key in _LIMITS if body.get(key) is not None), UNBOUNDED)
        prompts = len(body["prompt"]) if isinstance(body.get("prompt"), list) else 1
        return Cost(tokens=_size(body_to_json(case.body)) // 3 + limit * count * max(prompts, 1))
    if case.operation == "embeddings.create":
        # Three characters per token is below the usual four, so that the bound holds for other scripts too.
        return Cost(tokens=_size(body.get("input")) // 3 + 1)
    if case.operation.startswith("images."):
        form = {p.name: p.data for p in case.body.parts} if isinstance(case.body, Multipart) else {}
        text = form.get("n", b"1").decode("ascii", "replace")
        return Cost(images=max(count, int(text) if text.isdigit() else 1))
    if case.operation == "video.generations.jobs.create":
        each = _whole(body.get("n_seconds"), 5)
        return Cost(seconds=float(each * max(_whole(body.get("n_variants"), 1), 1)))
    if case.operation.startswith("audio."):
        # Speech says nothing about its length; the longest input that is sent takes less than five minutes.
        return Cost(seconds=300.0 if case.operation == "audio.speech.create" else 1.0)
    return Cost()


def expensive_kind(case: Case) -> str:
    """The opt-in name of a case's kind, or "" for an ordinary request."""
    if case.expensive:
        return case.expensive
    body = case.json if isinstance(case.body, JsonBody) and isinstance(case.json, dict) else {}
    first = case.operation.split(".")[0]
    if case.method != "POST":
        return ""
    if first in ("images", "video", "evals"):
        return first
    if first == "fine_tuning":
        return "fine-tuning"
    if first == "batches":
        return "batch"
    # Two answers are needed to see that indices differ, so only more than two are opt-in.
    if max(_whole(body.get("n"), 1), _whole(body.get("best_of"), 1)) > 2:
        return "n"
    return _tool_kind(case, body)


def _tool_kind(case: Case, body: dict[str, Any]) -> str:
    """The opt-in kind of the hosted tools in a body. They cost only where a run or a response may use them."""
    if case.operation not in MODEL_ANSWERS:
        return ""
    kinds = {tool.get("type") for tool in body.get("tools") or () if isinstance(tool, dict)}
    if "code_interpreter" in kinds:
        return "code-interpreter"
    return "file-search" if kinds & {"file_search", "retrieval"} else ""
