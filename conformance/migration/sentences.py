"""What a change means for a caller, in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.migration.change import EVERY, Change, Direction, Kind, Subject

__all__ = ["sentence", "title"]

#: The longest value that is quoted, in characters.
_LONGEST = 60

#: Addresses and rules are quoted whole: what is cut off may be what a caller has to do.
_LONGEST_TEXT = 300


def title(change: Change) -> str:
    """What happened, in a few words: ``added: request field `seed```."""
    if change.subject is Subject.OPERATION and change.direction is not Direction.STREAM:
        return f"{change.kind.value}: the operation"
    where = f" `{change.where}`" if change.where else ""
    subject = change.keyword if change.subject is Subject.SIZE else change.subject.value
    value = f" {_quoted(_value(change))}" if change.subject in (Subject.VALUE, Subject.FORM, Subject.STATUS) else ""
    return f"{change.kind.value}: {change.direction.value} {subject}{value}{where}"


def sentence(change: Change, where: str = "", value: str = "") -> str:
    """What a caller has to know. ``where`` and ``value`` replace the place and the new or old value, in quotes."""
    sent = change.direction is Direction.REQUEST
    known = _SENT if sent else _RECEIVED
    text = known.get((change.subject, change.kind), "{where} is different: {pair}.")
    if change.subject is Subject.FIELD and change.kind is Kind.ADDED and change.needed and sent:
        text = "{where} must be sent now."
    where = where or f"`{change.where or ('the body' if sent else 'the answer')}`"
    return text.format(
        where=where + (" of an event" if change.direction is Direction.STREAM else ""),
        what="every request" if change.operation == EVERY else "the request",
        keyword=change.keyword,
        old=value or _quoted(change.old),
        new=value or _quoted(change.new),
        pair=_pair(change, _LONGEST_TEXT if change.subject in (Subject.ROUTE, Subject.RULE) else _LONGEST),
    )


def _value(change: Change) -> Any:
    return change.old if change.new is None else change.new


def _quoted(value: Any, longest: int = _LONGEST) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text if len(text) <= longest else text[: longest - 1] + '…'}`"


def _pair(change: Change, longest: int) -> str:
    """Old and new value; "none" where there is none."""
    old, new = ("none" if value is None else _quoted(value, longest) for value in (change.old, change.new))
    return f"{old} → {new}"


#: What a change of requests means, by subject and kind.
_SENT: Mapping[tuple[Subject, Kind], str] = {
    (Subject.OPERATION, Kind.ADDED): "{new} can be called now.",
    (Subject.OPERATION, Kind.REMOVED): "{old} is gone: do without it, or stay.",
    (Subject.ROUTE, Kind.RENAMED): "Change the address of {what}: {pair}.",
    (Subject.MEDIA, Kind.ADDED): "The body may be sent as {new} too; nothing to do.",
    (Subject.MEDIA, Kind.REMOVED): "The body may no longer be sent as {old}.",
    (Subject.RULE, Kind.RULE): "A request that breaks this rule may be refused: {pair}.",
    (Subject.FIELD, Kind.ADDED): "{where} may be sent; nothing to do.",
    (Subject.FIELD, Kind.RENAMED): "Send {new} in place of {old}.",
    (
        Subject.FIELD,
        Kind.REMOVED,
    ): "Stop sending {where}: it is documented no more, and may be refused or ignored.",
    (Subject.DEFAULT, Kind.DEFAULT): "Without {where} another value is taken: {pair}; send it if it matters.",
    (Subject.VALUE, Kind.ADDED): "{where} takes {new} too; nothing to do.",
    (Subject.TAG, Kind.ADDED): "{where} may be sent; nothing to do.",
    (Subject.VALUE, Kind.REMOVED): "{where} no longer takes {old}.",
    (Subject.TAG, Kind.REMOVED): "{where} can no longer be sent.",
    (Subject.REQUIRED, Kind.NARROWED): "{where} must be sent now.",
    (Subject.REQUIRED, Kind.WIDENED): "{where} may be left out; nothing to do.",
    (Subject.NULL, Kind.NARROWED): "Leave {where} out where you sent null.",
    (Subject.NULL, Kind.WIDENED): "{where} may be null; nothing to do.",
    (Subject.FORM, Kind.NARROWED): "{where} may no longer be of the form {old}.",
    (Subject.FORM, Kind.WIDENED): "{where} may be of the form {new} too; nothing to do.",
    (Subject.SIZE, Kind.NARROWED): "{where} has another {keyword}, keep within it: {pair}.",
    (Subject.SIZE, Kind.WIDENED): "{where} has another {keyword}, nothing to do: {pair}.",
    (Subject.WHOLE, Kind.NARROWED): "{where} must be a whole number.",
    (Subject.WHOLE, Kind.WIDENED): "{where} need not be a whole number; nothing to do.",
    (Subject.VALUES, Kind.NARROWED): "{where} takes fewer values: {pair}.",
    (Subject.VALUES, Kind.WIDENED): "{where} takes more values, nothing to do: {pair}.",
    (Subject.PATTERN, Kind.NARROWED): "{where} must have another form: {pair}.",
    (Subject.PATTERN, Kind.WIDENED): "{where} may have any form; nothing to do.",
}

#: What a change of answers and of streamed events means, by subject and kind.
_RECEIVED: Mapping[tuple[Subject, Kind], str] = {
    (Subject.OPERATION, Kind.ADDED): "The answer can be streamed.",
    (Subject.OPERATION, Kind.REMOVED): "The answer can no longer be streamed.",
    (Subject.RULE, Kind.RULE): "Answers follow a rule that only one of the documents states: {pair}.",
    (Subject.STATUS, Kind.RENAMED): "Success has another status: {pair}.",
    (Subject.FIELD, Kind.ADDED): "{where} may come; ignore it or use it.",
    (Subject.FIELD, Kind.RENAMED): "Read {new} in place of {old}.",
    (Subject.FIELD, Kind.REMOVED): "{where} no longer comes: do without it.",
    (Subject.VALUE, Kind.ADDED): "{where} may be {new}: be prepared for values that you don't know.",
    (Subject.TAG, Kind.ADDED): "{where} may come: be prepared for objects that you don't know.",
    (Subject.VALUE, Kind.REMOVED): "{where} is no longer {old}; nothing to do.",
    (Subject.TAG, Kind.REMOVED): "{where} no longer comes.",
    (Subject.REQUIRED, Kind.WIDENED): "{where} may be absent: check before you read it.",
    (Subject.REQUIRED, Kind.NARROWED): "{where} is always there; nothing to do.",
    (Subject.NULL, Kind.WIDENED): "{where} may be null: check before you read it.",
    (Subject.NULL, Kind.NARROWED): "{where} is never null; nothing to do.",
    (Subject.FORM, Kind.WIDENED): "{where} may be of the form {new}: check before you read it.",
    (Subject.FORM, Kind.NARROWED): "{where} is no longer of the form {old}; nothing to do.",
    (Subject.WHOLE, Kind.WIDENED): "{where} may be a number that isn't whole.",
    (Subject.WHOLE, Kind.NARROWED): "{where} is a whole number; nothing to do.",
    (Subject.SIZE, Kind.WIDENED): "{where} may be beyond what it was: {keyword} {pair}.",
    (Subject.SIZE, Kind.NARROWED): "{where} keeps a closer {keyword}: {pair}; nothing to do.",
    (Subject.VALUES, Kind.WIDENED): "{where} may have any value; be prepared for some that you don't know.",
    (Subject.VALUES, Kind.NARROWED): "{where} has one of few values: {pair}; nothing to do.",
    (Subject.PATTERN, Kind.WIDENED): "{where} may have any form.",
    (Subject.PATTERN, Kind.NARROWED): "{where} has a form that is documented: {pair}; nothing to do.",
}
