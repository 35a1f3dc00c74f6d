"""The check that prompts are counted: prompts of different length don't all have one count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Fields that hold the prompt, in the requests of the operations that count its tokens.
PROMPTS = ("messages", "prompt", "input")
#: One count is a constant if so many prompts have it, and the longest has so many times the characters of the shortest.
LEAST, TIMES = 5, 4


def _prompt(body: Any) -> str:
    """The prompt of a request as JSON text; "" if it has none."""
    found = {name: body[name] for name in PROMPTS if name in body} if isinstance(body, Mapping) else {}
    return json.dumps(found, ensure_ascii=False) if found else ""


#: What was seen, the prompt that was sent, and the count of its tokens.
_Counted = tuple[Observation, str, int]


def _counted(trace: Trace) -> list[_Counted]:
    """Each plain answer that counts the tokens of its prompt."""
    found = []
    for seen in trace:
        count = look_up(seen.json, "/usage/prompt_tokens") if seen.exchange.ok else None
        if is_integer(count) and (prompt := _prompt(seen.case.json)):
            found.append((seen, prompt, count))
    return found


def _few(counted: Iterable[_Counted]) -> str:
    """Why the prompts say nothing; "" if they do."""
    lengths = {prompt: len(prompt) for _, prompt, _ in counted}
    if len(lengths) >= LEAST and max(lengths.values()) >= TIMES * min(lengths.values()):
        return ""
    wanted = f"{LEAST} prompts, one of them {TIMES} times as long as another"
    return f"{len(lengths)} different prompts were counted, and the rule is about {wanted}"


def _constant(value: Any, _request: Request) -> Any:
    """Counterexample: each prompt has ten tokens."""
    usage = value.get("usage")
    if not isinstance(usage, dict) or not is_integer(usage.get("prompt_tokens")):
        return None
    total = 10 + int(usage.get("completion_tokens") or 0)
    return {**value, "usage": {**usage, "prompt_tokens": 10, "total_tokens": total}}


@trace_check(
    "usage.prompts.differ",
    Level.SHOULD,
    clause="usage-prompts-differ",
    counterexample=on_json(_constant, when=asked("POST", r"/completions|/embeddings")),
    scenarios=("corpus.chat.completions.create", "corpus.completions.create", "corpus.embeddings.create"),
    operations=("chat.completions.create", "completions.create", "embeddings.create"),
    subject=lambda trace: _few(_counted(trace)),
    together=True,
)
def prompts_differ(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Prompts of different length don't all have the same count of tokens.

    ``prompt_tokens`` is the number of tokens in the prompt. If five or more prompts, one of them four times as long as
    another, have one count, the target makes it up, and whoever pays by it pays for nothing.
    """
    counted = _counted(trace)
    if _few(counted) or len({count for _, _, count in counted}) > 1:
        return
    shortest, longest = (choose(counted, key=lambda one: len(one[1])) for choose in (min, max))
    seen, prompt, count = longest
    yield seen.finding(
        f"{len(counted)} answers count the same number of prompt tokens, whatever was asked",
        place="/usage/prompt_tokens",
        expected=f"more for {len(prompt)} characters than for {len(shortest[1])}",
        actual=count,
    )
