"""Checks of text completions that are not streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.checks.inference.chat import body_of, choices_of, number, unfiltered
from conformance.checks.inference.chat_limits import SHORTEST_LIMIT, counted_tokens
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level

TEXT = ("completions.create",)


def _posted(exchange: Exchange) -> bool:
    """Return True for a text completion request."""
    path = path_of(exchange.request)
    return (
        exchange.request.method == "POST" and path.endswith("/completions") and not path.endswith("/chat/completions")
    )


def _plain(spec: Spec, case: Case) -> bool:
    """The case sends a JSON object and doesn't ask for a stream."""
    return not streams(spec, case) and isinstance(case.json, dict)


def prompts_in(body: Mapping[str, Any]) -> int:
    """The number of prompts in a body. A string or a list of token ids is one prompt; a list of those is several."""
    prompt = body.get("prompt")
    # A list of integers is one prompt in tokens.
    if isinstance(prompt, list) and prompt and not all(isinstance(item, int) for item in prompt):
        return len(prompt)
    return 1


def _one_less(value: Any, _request: Request) -> Any:
    """Counterexample: a choice is missing."""
    value["choices"] = value.get("choices", [])[:-1]
    return value


@check(
    "completions.choices.count",
    Level.MUST,
    clause="completions-n-choices",
    counterexample=on_json(_one_less, when=_posted),
    operations=TEXT,
    about=_plain,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def choices_count(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Every prompt gets ``n`` choices, and their indices are 0, 1, 2 … over all prompts."""
    wanted = number(body_of(seen.case), "n", 1) * prompts_in(body_of(seen.case))
    indexes = sorted(str(choice.get("index")) for choice in choices_of(seen))
    if indexes != sorted(map(str, range(wanted))):
        yield seen.finding("wrong choices", place="/choices", expected=f"indexes 0 … {wanted - 1}", actual=indexes)


def _as_stop(value: Any, request: Request) -> Any:
    """Counterexample: a cut-off text claims to have ended normally."""
    changed = False
    for _, choice in choices_in(value):
        if choice.get("finish_reason") == "length" and (request.json or {}).get("max_tokens"):
            choice["finish_reason"], changed = "stop", True
    return value if changed else None


@check(
    "completions.finish-reason.length",
    Level.MUST,
    clause="completions-finish-reason-length",
    counterexample=on_json(_as_stop, when=_posted),
    operations=TEXT,
    about=lambda spec, case: (
        case.role.startswith("completions.length")
        and _plain(spec, case)
        and number(body_of(case), "max_tokens", 0) >= SHORTEST_LIMIT
    ),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def finish_reason_length(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A text that ``max_tokens`` cut ends with finish_reason ``length``.

    Whether the limit cut it is concluded from the usage, not from the task.
    """
    # The usage adds up all choices, and the limit holds for each of them.
    counted, most = counted_tokens(seen), number(body_of(seen.case), "max_tokens", 0) * len(choices_of(seen))
    if counted is None or counted < most:
        return
    for index, choice in unfiltered(seen):
        if choice.get("finish_reason") != "length":
            yield seen.finding(
                "the limit cut the text and finish_reason does not say so",
                place=f"/choices/{index}/finish_reason",
                expected="length",
                actual=choice.get("finish_reason"),
            )


def stops_in(body: Mapping[str, Any]) -> list[str]:
    """The stop sequences of a body."""
    stop = body.get("stop")
    given = stop if isinstance(stop, list) else [stop]  # a violation may send values of any type
    return [one for one in given if isinstance(one, str)]


def _with_stop(value: Any, request: Request) -> Any:
    """Counterexample: the text ends with the stop sequence."""
    stops = stops_in(request.json or {})
    if not stops or not value.get("choices"):
        return None
    value["choices"][0]["text"] += stops[0]
    return value


@check(
    "completions.stop",
    Level.MUST,
    clause="completions-stop-not-in-output",
    counterexample=on_json(_with_stop, when=_posted),
    operations=TEXT,
    about=lambda spec, case: _plain(spec, case) and bool(stops_in(body_of(case))) and not body_of(case).get("echo"),
    needs=Needs.SUCCESS,
)
def stop_absent(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A stop sequence is not part of the text."""
    for index, choice in enumerate(choices_of(seen)):
        for stop in stops_in(body_of(seen.case)):
            if stop and stop in str(choice.get("text")):
                yield seen.finding(f"the text holds the stop sequence {stop!r}", place=f"/choices/{index}/text")


def _without_echo(value: Any, request: Request) -> Any:
    """Counterexample: the prompt is missing from the text."""
    body = request.json or {}
    if body.get("echo") is not True or not isinstance(body.get("prompt"), str):
        return None
    for _, choice in choices_in(value):
        choice["text"] = choice["text"].removeprefix(body["prompt"])
    return value


@check(
    "completions.echo",
    Level.MUST,
    clause="completions-echo",
    counterexample=on_json(_without_echo, when=_posted),
    operations=TEXT,
    about=lambda spec, case: (
        _plain(spec, case) and body_of(case).get("echo") is True and isinstance(body_of(case).get("prompt"), str)
    ),
    needs=Needs.SUCCESS,
)
def echo(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``echo: true`` every text begins with the prompt."""
    prompt = body_of(seen.case)["prompt"]
    for index, choice in unfiltered(seen):
        # Tokenizers may add or drop white space at the edges of the prompt.
        if not str(choice.get("text")).lstrip().startswith(prompt.strip()):
            yield seen.finding("the prompt is missing", place=f"/choices/{index}/text", expected=prompt[:60])


def _no_logprobs(value: Any, request: Request) -> Any:
    """Counterexample: the log probabilities are missing."""
    # Text completions ask with a number, chat with a boolean.
    if not isinstance((request.json or {}).get("logprobs"), int):
        return None
    for _, choice in choices_in(value):
        choice["logprobs"] = None
    return value


@check(
    "completions.logprobs",
    Level.MUST,
    clause="completions-logprobs",
    counterexample=on_json(_no_logprobs, when=_posted),
    operations=TEXT,
    about=lambda spec, case: _plain(spec, case) and number(body_of(case), "logprobs", 0) >= 1,
    needs=Needs.SUCCESS,
)
def logprobs(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``logprobs`` a text has a list of its tokens and a list of as many log probabilities."""
    for index, choice in unfiltered(seen):
        if not choice.get("text"):
            continue
        given = choice.get("logprobs")
        tokens = given.get("tokens") if isinstance(given, dict) else None
        scores = given.get("token_logprobs") if isinstance(given, dict) else None
        if not isinstance(tokens, list) or not isinstance(scores, list) or len(tokens) != len(scores) or not tokens:
            yield seen.finding("no log probabilities, or not one for each token", place=f"/choices/{index}/logprobs")
