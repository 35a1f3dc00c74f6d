"""Checks of the values of log probabilities in chat answers, plain and streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from conformance.checks.inference.chat import CHAT, body_of, number, posted
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Counterexample, Needs, check
from conformance.judging.counterexamples import on_json
from conformance.judging.stream_counterexamples import each_json
from conformance.requests.case import Case, Expect
from conformance.requests.selectors import streams
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in, pieces
from conformance.streams.reading import read
from conformance.verdict import Finding, Level

Entry = dict[str, Any]

#: Rounding may carry the logarithm of a probability of 1 above 0 by so much.
_ROUNDING = 1e-6


def _listed(logprobs: Any) -> list[Entry]:
    """The token entries of a ``logprobs`` object."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [entry for entry in content if isinstance(entry, dict)] if isinstance(content, list) else []


def _entries(spec: Spec, seen: Observation) -> list[tuple[str, Entry]]:
    """The token entries of an answer, each with its place."""
    if streams(spec, seen.case):
        reading = read(spec, seen)
        found = [(piece.place, piece.choice) for piece in pieces(reading)] if reading is not None else []
    else:
        found = [(f"/choices/{place}", choice) for place, choice in choices_in(seen.json)]
    return [
        (f"{place}/logprobs/content/{number}", entry)
        for place, choice in found
        for number, entry in enumerate(_listed(choice.get("logprobs")))
    ]


def _alternatives(entry: Entry) -> list[Entry]:
    """The alternatives of a token."""
    given = entry.get("top_logprobs")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _changing(change: Callable[[Entry], bool]) -> Counterexample:
    """A counterexample that changes each token entry in place. ``change`` tells whether it changed something."""

    def altered(value: Any) -> Any:
        entries = [entry for _, choice in choices_in(value) for entry in _listed(choice.get("logprobs"))]
        changed = sum(change(entry) for entry in entries)
        return value if changed else None

    on_plain = on_json(lambda value, _request: altered(value), when=posted)
    on_stream = each_json(lambda value, _index: altered(value), "chat-chunks")

    def broken(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        return on_plain(exchange, earlier) or on_stream(exchange, earlier)

    return broken


def _asks(spec: Spec, case: Case) -> bool:
    """The request asks for log probabilities and may be accepted."""
    return body_of(case).get("logprobs") is True and case.expect is not Expect.REJECT


def _asks_top(spec: Spec, case: Case) -> bool:
    """The request asks for alternatives too."""
    return _asks(spec, case) and number(body_of(case), "top_logprobs", 0) > 0


def _nameless(entry: Entry) -> bool:
    """Counterexample: no alternative has a token."""
    for one in _alternatives(entry):
        one.update({"token": "", "bytes": None})
    return bool(_alternatives(entry))


@check(
    "chat.logprobs.alternatives",
    Level.MUST,
    clause="chat-logprobs-alternatives-named",
    counterexample=_changing(_nameless),
    operations=CHAT,
    about=_asks_top,
    needs=Needs.SUCCESS,
    entails=("chat.logprobs.order",),
)
def alternatives_named(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The alternatives of a token say which tokens they are.

    One empty token may be real. If every alternative of an answer is empty and the tokens of the text are not, the
    tokens were lost, and with them the only use of the alternatives.
    """
    entries = _entries(spec, seen)
    others = [one.get("token") for _, entry in entries for one in _alternatives(entry)]
    if len(others) > 1 and not any(others) and any(entry.get("token") for _, entry in entries):
        yield seen.finding(
            f"the token of each of {len(others)} alternatives is empty",
            place=f"{entries[0][0]}/top_logprobs",
            expected="the tokens",
            actual=others[:4],
        )


def _likely(entry: Entry) -> bool:
    """Counterexample: a probability above 1."""
    entry["logprob"] = 0.5
    return True


@check(
    "chat.logprobs.range",
    Level.MUST,
    clause="chat-logprobs-range",
    counterexample=_changing(_likely),
    operations=CHAT,
    about=_asks,
    needs=Needs.SUCCESS,
)
def in_range(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A log probability is the logarithm of a number between 0 and 1, so it is not above 0.

    Positive values are probabilities that nobody took the logarithm of, or lost their sign. Clients compute with them.
    """
    for place, entry in _entries(spec, seen):
        for one in (entry, *_alternatives(entry)):
            value = one.get("logprob")
            if isinstance(value, int | float) and not isinstance(value, bool) and value > _ROUNDING:
                yield seen.finding("a log probability above 0", place=place, expected="0 or less", actual=value)
                return


def _number(entry: Entry) -> float | None:
    """The log probability of an entry; None if it isn't a number."""
    value = entry.get("logprob")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shuffled(entry: Entry) -> bool:
    """Counterexample: the alternatives are in the wrong order."""
    found = _alternatives(entry)
    if len(found) < 2 or found[0].get("logprob") == found[-1].get("logprob"):
        return False
    entry["top_logprobs"] = found[::-1]
    return True


@check(
    "chat.logprobs.order",
    Level.SHOULD,
    clause="chat-logprobs-most-likely",
    counterexample=_changing(_shuffled),
    operations=CHAT,
    about=_asks_top,
    needs=Needs.SUCCESS,
)
def most_likely(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The alternatives are the most likely tokens in falling order, the chosen one among them if none was likelier.

    There may be fewer than were asked for, as the document says.
    """
    wanted = number(body_of(seen.case), "top_logprobs", 0)
    for place, entry in _entries(spec, seen):
        found, chosen = _alternatives(entry), _number(entry)
        values = [value for one in found if (value := _number(one)) is not None]
        if not found or len(values) < len(found) or chosen is None:
            continue
        problem = ""
        if values != sorted(values, reverse=True):
            problem = "the alternatives are not in falling order"
        elif chosen > values[0] + _ROUNDING and entry.get("token") not in [one.get("token") for one in found]:
            problem = "the chosen token was the likeliest and is not listed"
        if problem:
            expected = f"the {wanted} most likely tokens in falling order"
            yield seen.finding(problem, place=f"{place}/top_logprobs", expected=expected, actual=values)
            return


def _other_bytes(entry: Entry) -> bool:
    """Counterexample: the bytes are not those of the token."""
    for one in _alternatives(entry):
        if isinstance(one.get("bytes"), list):
            one["bytes"] = [0, *one["bytes"]]
            return True
    return False


@check(
    "chat.logprobs.bytes",
    Level.SHOULD,
    clause="chat-logprobs-bytes",
    counterexample=_changing(_other_bytes),
    operations=CHAT,
    about=_asks,
    needs=Needs.SUCCESS,
)
def token_bytes(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The bytes of a token, where they aren't null, are its UTF-8.

    A token may be a part of a character. Its text is then an escape or U+FFFD, and is not compared.
    """
    for place, entry in _entries(spec, seen):
        for one in (entry, *_alternatives(entry)):
            token, raw = one.get("token"), one.get("bytes")
            if not isinstance(token, str) or not isinstance(raw, list) or "\ufffd" in token or "\\x" in token:
                continue
            whole = all(is_integer(byte) and 0 <= byte < 256 for byte in raw)
            if not whole or bytes(map(int, raw)) != token.encode("utf-8", "surrogatepass"):
                yield seen.finding(
                    "the bytes are not those of the token",
                    place=f"{place}/bytes",
                    expected=list(token.encode("utf-8", "surrogatepass"))[:20],
                    actual=raw[:20],
                )
                return
