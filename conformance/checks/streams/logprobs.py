"""Checks of log probabilities in streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import each_json
from conformance.requests.case import Case
from conformance.requests.selectors import ABSENT, asks, value_at, without
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.chunks import Piece, by_choice, choices_in, pieces
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level

CHAT = "chat-chunks"
_ASKS = asks("/logprobs", True)


def _tokens(piece: Piece) -> list[dict[str, Any]]:
    """The token entries of a piece."""
    logprobs = piece.choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [token for token in content if isinstance(token, dict)] if isinstance(content, list) else []


def _drop(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the log probabilities are missing."""
    for _, choice in choices_in(value):
        if choice.get("logprobs"):
            choice["logprobs"] = None
    return value


@check(
    "stream.logprobs.present",
    Level.MUST,
    clause="chat-logprobs",
    counterexample=each_json(_drop, CHAT),
    about=streamed(CHAT, also=_ASKS),
    needs=Needs.SUCCESS,
    entails=("stream.logprobs.tokens",),
)
@over_stream
def present(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """With ``logprobs: true`` the chunks with text contain the log probabilities of their tokens."""
    for found in by_choice(reading).values():
        bare = next((piece for piece in found if piece.text), None)
        # A target may send the entries of several tokens together, so a single chunk without them proves nothing.
        if bare is not None and not any(_tokens(piece) for piece in found):
            yield seen.finding("text without log probabilities", place=bare.place, expected="logprobs.content")


def _lose_token(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the tokens are not those of the text."""
    for _, choice in choices_in(value):
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, dict) and logprobs.get("content"):
            for token in logprobs["content"]:
                # ``bytes`` must go as well: the check prefers it to the text.
                token.update({"token": "wrong", "bytes": None})
    return value


@check(
    "stream.logprobs.tokens",
    Level.SHOULD,
    clause="chat-logprobs",
    counterexample=each_json(_lose_token, CHAT),
    about=streamed(CHAT, also=_ASKS),
    needs=Needs.SUCCESS,
)
@over_stream
def tokens(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The tokens of a choice's log probabilities, joined, are its text: one entry per token, none missing or doubled.

    The ``bytes`` of a token are used rather than its text, because a code point may be spread over several tokens.
    """
    if not reading.ended:
        return
    for index, found in by_choice(reading).items():
        text = "".join(piece.text for piece in found)
        listed = [token for piece in found for token in _tokens(piece)]
        joined = b"".join(_bytes(token) for token in listed)
        # Without text, as in a tool call, there are no tokens to compare.
        if text and joined != text.encode("utf-8", "surrogatepass"):
            yield seen.finding(
                f"the tokens of choice {index} are not its text",
                place=found[-1].place,
                expected=text[:80],
                actual=joined.decode("utf-8", "replace")[:80],
            )


def _bytes(token: dict[str, Any]) -> bytes:
    """The bytes of a token, or of its text if it has none."""
    raw = token.get("bytes")
    if isinstance(raw, list) and all(is_integer(byte) and 0 <= byte < 256 for byte in raw):
        return bytes(map(int, raw))
    text = token.get("token")
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""


def _top(case: Case) -> int | None:
    """The requested number of alternatives, or None."""
    value = value_at(case, "/top_logprobs")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _asks_top(spec: Spec, case: Case) -> bool:
    """The request asks for alternatives."""
    return _ASKS(spec, case) and _top(case) is not None


def _many(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: a token has 21 alternatives more."""
    for _, choice in choices_in(value):
        logprobs = choice.get("logprobs")
        for token in (logprobs.get("content") or ()) if isinstance(logprobs, dict) else ():
            one = {"token": "x", "logprob": -9.0, "bytes": [120]}
            # The largest request is 20, so 21 are too many for any request.
            token["top_logprobs"] = [*token.get("top_logprobs", ()), *[one] * 21]
    return value


@check(
    "stream.logprobs.top",
    Level.MUST,
    clause="chat-top-logprobs-count",
    counterexample=each_json(_many, CHAT),
    about=streamed(CHAT, also=_asks_top),
    needs=Needs.SUCCESS,
    entails=("chat.logprobs.order",),
)
@over_stream
def top(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A token has at most ``top_logprobs`` alternatives."""
    most = _top(seen.case) or 0
    for piece in pieces(reading):
        given = [token.get("top_logprobs") for token in _tokens(piece)]
        longest = max((len(tops) for tops in given if isinstance(tops, list)), default=0)
        if longest > most:
            yield seen.finding(
                "more alternatives than were asked for", place=piece.place, expected=f"at most {most}", actual=longest
            )
            return


def _uninvited(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: log probabilities that nobody requested."""
    for _, choice in choices_in(value):
        text = choice["delta"].get("content") if isinstance(choice.get("delta"), dict) else None
        if text and choice.get("logprobs") is None:
            token = {"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}
            choice["logprobs"] = {"content": [token], "refusal": None}
    return value


@check(
    "stream.logprobs.only-when-asked",
    Level.SHOULD,
    clause="chat-logprobs-only-when-asked",
    counterexample=each_json(_uninvited, CHAT),
    about=streamed(CHAT, also=without(_ASKS)),
    needs=Needs.SUCCESS,
)
@over_stream
def only_when_asked(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Without ``logprobs: true`` no chunk contains log probabilities."""
    found = next((piece for piece in pieces(reading) if _tokens(piece)), None)
    if found is not None:
        yield seen.finding(
            "log probabilities that were not asked for", place=f"{found.place}/logprobs", expected="null or absent"
        )


def _asks_number(spec: Spec, case: Case) -> bool:
    """The request asks for log probabilities with a number, as text completions do."""
    value = value_at(case, "/logprobs")
    return value is not ABSENT and isinstance(value, int) and not isinstance(value, bool)


def _one_less(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: a log probability is missing."""
    for _, choice in choices_in(value):
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, dict) and logprobs.get("token_logprobs"):
            logprobs["token_logprobs"] = logprobs["token_logprobs"][:-1]
    return value


@check(
    "stream.logprobs.lists",
    Level.SHOULD,
    clause="completions-logprobs",
    counterexample=each_json(_one_less, "completion-chunks"),
    about=streamed("completion-chunks", also=_asks_number),
    needs=Needs.SUCCESS,
)
@over_stream
def lists(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """In a completion chunk the lists of tokens and of their log probabilities have the same length."""
    for piece in pieces(reading):
        logprobs = piece.choice.get("logprobs")
        if isinstance(logprobs, dict):
            sizes = {len(logprobs[key]) for key in ("tokens", "token_logprobs") if isinstance(logprobs.get(key), list)}
            if len(sizes) > 1:
                yield seen.finding("lists of different length", place=f"{piece.place}/logprobs", actual=sorted(sizes))
                return
