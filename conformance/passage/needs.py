"""What a rule must have seen of a passage. Each function returns "" or what is missing, in words for a report."""

from __future__ import annotations

from conformance.passage.passage import Passage
from conformance.passage.streams import is_stream

__all__ = ["both_answers", "both_json", "both_legs", "both_streams", "reached", "same_status", "undisturbed"]


def clear(passage: Passage) -> str:
    """The upstream's requests are seen, and surely those of this client's request."""
    if passage.one_sided:
        return "the upstream is not ours: what reached it can't be seen"
    return passage.unclear


def reached(passage: Passage) -> str:
    """A request reached the upstream."""
    return clear(passage) or ("" if passage.calls else "nothing reached the upstream")


def both_answers(passage: Passage) -> str:
    """The upstream answered, and the client got a whole answer."""
    if missing := reached(passage):
        return missing
    if passage.cancelled:
        return "the client closed the connection on purpose"
    if passage.answer is None or not passage.answer.complete:
        return "the upstream gave no whole answer"
    if passage.got is None or passage.through.fault is not None:
        return "the client got no whole answer"
    return ""


def both_json(passage: Passage) -> str:
    """Both answers are JSON."""
    if missing := both_answers(passage):
        return missing
    got, answer = passage.got, passage.answer
    if got is None or answer is None or is_stream(answer) or not (answer.is_json and got.is_json):
        return "one of the two answers is no JSON"
    return same_status(passage)


def same_status(passage: Passage) -> str:
    """The client got the status that the upstream sent: with another one the answer is another one."""
    same = passage.got is not None and passage.answer is not None and passage.got.status == passage.answer.status
    return "" if same else "the status was changed, so the answer is another one"


def both_streams(passage: Passage) -> str:
    """Both answers are event streams."""
    if missing := both_answers(passage):
        return missing
    return "" if is_stream(passage.answer) and is_stream(passage.got) else "one of the two answers is no event stream"


def undisturbed(passage: Passage) -> str:
    """The upstream was not asked to do anything wrong."""
    return f"the upstream was asked for a fault: {passage.fault}" if passage.fault else ""


def both_legs(passage: Passage) -> str:
    """The same case was sent to the upstream directly, and answered."""
    if missing := undisturbed(passage) or passage.unclear:
        return missing
    if passage.direct is None or passage.direct.response is None:
        return "the case has no answer of the upstream without the gateway"
    return "the client closed the connection on purpose" if passage.cancelled else ""
