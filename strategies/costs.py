"""Upper bounds of what a request consumes, and the opt-in kind of requests that are expensive on a live target."""

from __future__ import annotations

import json
from typing import Any

from conformance.requests.case import Case, Cost, JsonBody, Multipart, body_to_json
from conformance.spec.operations import Operation

from .sample_files import file_named

__all__ = ["cost_of", "expensive_kind"]

#: Tokens assumed for an answer whose length the request doesn't limit.
UNBOUNDED = 4096

#: The body fields that limit the length of an answer, in the order in which they count.
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def _whole(value: Any, otherwise: int) -> int:
    """The value if it is a non-negative integer, else ``otherwise``."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _size(value: Any) -> int:
    """The number of characters of a value as text; 0 for None."""
    return len(str(value)) if value is not None else 0


def cost_of(case: Case, operation: Operation) -> Cost:
    """Upper bounds of what a case of an operation consumes, counted in the way that the operation's facts name.

    Input tokens: one per three characters of the body. Output tokens: the length limit times the number of answers.
    Images: ``n``. Seconds: of video or audio.
    """
    if case.method != "POST":
        return Cost()
    body = _json_object(case)
    match operation.facts.cost:
        case "answer":
            return Cost(tokens=_size(body_to_json(case.body)) // 3 + _answer_tokens(body))
        case "input":
            # Three characters per token is below the usual four, so that the bound holds for other scripts too.
            return Cost(tokens=_size(body.get("input")) // 3 + 1)
        case "images":
            form = {p.name: p.data for p in case.body.parts} if isinstance(case.body, Multipart) else {}
            text = form.get("n", b"1").decode("ascii", "replace")
            return Cost(images=max(_answers(body), int(text) if text.isdigit() else 1))
        case "video":
            return Cost(seconds=float(_whole(body.get("n_seconds"), 5) * max(_whole(body.get("n_variants"), 1), 1)))
        case "speech":
            # Speech says nothing about its length; the longest input that is sent takes less than five minutes.
            return Cost(seconds=300.0)
        case "recording":
            return Cost(seconds=1.0)
        case "batch":
            # Each batch of the corpus is made of the same sample file.
            return Cost(tokens=_batch_tokens(file_named("file:batch").data))
    return Cost()


def _batch_tokens(data: bytes) -> int:
    """The tokens of the requests in the file of a batch, and of their answers at most."""
    bodies = [json.loads(line)["body"] for line in data.splitlines()]
    return sum(_size(json.dumps(body)) // 3 + _answer_tokens(body) for body in bodies)


def _json_object(case: Case) -> dict[str, Any]:
    """The JSON object that a case sends; an empty one where it sends something else."""
    body = case.json if isinstance(case.body, JsonBody) else None
    return body if isinstance(body, dict) else {}


def _answers(body: dict[str, Any]) -> int:
    """The number of answers that are made: ``n``, or ``best_of`` where more are made than returned."""
    return max(_whole(body.get("n"), 1), _whole(body.get("best_of"), 1), 1)


def _answer_tokens(body: dict[str, Any]) -> int:
    """The tokens of all answers to a body at most."""
    limit = next((_whole(body[key], UNBOUNDED) for key in _LIMITS if body.get(key) is not None), UNBOUNDED)
    # A list of token ids counts as that many prompts: too many, but an upper bound.
    prompts = len(body["prompt"]) if isinstance(body.get("prompt"), list) else 1
    return limit * _answers(body) * max(prompts, 1)


def expensive_kind(case: Case, operation: Operation) -> str:
    """The opt-in name of a case's kind, or "" for an ordinary request."""
    if case.expensive:
        return case.expensive
    if case.method != "POST":
        return ""
    if operation.facts.expensive:
        return operation.facts.expensive
    body = _json_object(case)
    # Two answers are needed to see that indices differ, so only more than two are opt-in.
    if _answers(body) > 2:
        return "n"
    # Hosted tools cost only where a run or a response may use them.
    return _tool_kind(body) if operation.facts.cost == "answer" else ""


def _tool_kind(body: dict[str, Any]) -> str:
    """The opt-in kind of the hosted tools in a body."""
    kinds = {tool.get("type") for tool in body.get("tools") or () if isinstance(tool, dict)}
    if "code_interpreter" in kinds:
        return "code-interpreter"
    return "file-search" if kinds & {"file_search", "retrieval"} else ""
