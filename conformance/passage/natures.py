"""What an alteration is: a defect, a policy of the gateway, or a difference that an intermediary may make.

The first sentence of the table that speaks of a difference decides. Where none does, a broken MUST or SHOULD is a
defect by the rule's own clause and source, and a note is legal. What a user declares in ``[gateway]`` comes before the
table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, urlsplit

from attrs import frozen

from conformance.passage.passage import Difference, Kind, Passage
from conformance.settings.gateway import Gateway, Nature
from conformance.verdict import Level

__all__ = ["DECLARES", "Judgement", "nature_of"]

#: The kinds that each key of ``[gateway]`` declares.
DECLARES = {
    "adds": (Kind.ADDED, Kind.REPEATED, Kind.INVENTED, Kind.LEAKED),
    "removes": (Kind.DROPPED, Kind.RENAMED),
    "rewrites": (
        Kind.CHANGED,
        Kind.RENAMED,
        Kind.SPELLED,
        Kind.REPAIRED,
        Kind.REFUSED,
        Kind.MERGED,
        Kind.SPLIT,
        Kind.REORDERED,
        Kind.LATE,
        Kind.LIMITED,
    ),
}

#: The deployment in the path of a dated route.
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")


@frozen
class Judgement:
    """What an alteration is, why, and on what that rests. ``declared`` is True if the user says so."""

    nature: Nature
    why: str = ""
    source: str = ""
    declared: bool = False


#: A function of a difference and the passage that shows it; None for one that only several passages show.
_When = Callable[[Difference, Passage | None], bool]


def _always(_difference: Difference, _passage: Passage | None) -> bool:
    return True


@frozen
class _Sentence:
    """One sentence of the table: of which rules, kinds and fields it speaks, and what it says."""

    rule: str
    kinds: tuple[Kind, ...]
    field: str
    judgement: Judgement
    when: _When = _always

    def speaks_of(self, difference: Difference, passage: Passage | None) -> bool:
        """True if the sentence speaks of a difference."""
        named = fnmatchcase(difference.rule, self.rule) and fnmatchcase(difference.field, self.field)
        return named and (not self.kinds or difference.kind in self.kinds) and self.when(difference, passage)


def _legal(why: str, source: str) -> Judgement:
    return Judgement(Nature.LEGAL, why, source)


def _policy(why: str, source: str) -> Judgement:
    return Judgement(Nature.POLICY, why, source)


def _is_the_deployment(difference: Difference, passage: Passage | None) -> bool:
    """The added value is the deployment that the client's path names."""
    found = _DEPLOYMENT.search(urlsplit(passage.through.request.url).path) if passage is not None else None
    return found is not None and found[1] == difference.after


def _was_null(difference: Difference, _passage: Passage | None) -> bool:
    """The client left the field open."""
    return difference.before == "null"


def _no_version(_difference: Difference, passage: Passage | None) -> bool:
    """The client named no api-version."""
    return passage is not None and "api-version" not in parse_qs(urlsplit(passage.through.request.url).query)


def _usage_not_asked(_difference: Difference, passage: Passage | None) -> bool:
    """The client did not ask for the chunk with the usage."""
    sent = passage.through.request.json if passage is not None else None
    options = sent.get("stream_options") if isinstance(sent, dict) else None
    return not (isinstance(options, dict) and options.get("include_usage") is True)


def _too_many(difference: Difference, _passage: Passage | None) -> bool:
    """The refusal says that there are too many requests."""
    return difference.after in ("429", "503")


def _still_there(difference: Difference, _passage: Passage | None) -> bool:
    """The text of the service is part of the new text."""
    return bool(difference.before) and difference.before.rstrip("…") in difference.after


def _masked(difference: Difference, _passage: Passage | None) -> bool:
    """A part of the service's text was replaced by the word that usually stands for a secret."""
    return "REDACTED" in difference.after.upper() and "REDACTED" not in difference.before.upper()


_INTERMEDIARIES = "RFC 9110 section 5.1: fields can be added by anybody; a proxy forwards those that it doesn't know"
_REFERENCE = "REST API reference"

_CHOICE = _policy(
    "a field that the client left open: a choice of the gateway, which may change the answer or its price",
    "RFC 9110 section 7.7: an intermediary may transform content on purpose",
)

_VERSION = _policy(
    "the client named no api-version, and the gateway has one of its own", f"{_REFERENCE}: api-version is required"
)
_KEEPS = _policy("the gateway keeps or rewrites a field that it could have forwarded", _INTERMEDIARIES)
_LIMITS = _policy("the gateway limits how many requests are under way", "RFC 6585 section 4: servers may limit clients")

TABLE: tuple[_Sentence, ...] = (
    _Sentence(
        "via.request.body",
        (Kind.ADDED,),
        "/model",
        _legal(
            "the deployment of the path, once more: the service takes it from the path",
            "recorded requests of the service's own client libraries have both, and succeed",
        ),
        _is_the_deployment,
    ),
    _Sentence("via.request.body", (Kind.ADDED,), "*", _CHOICE),
    _Sentence("via.request.body", (Kind.CHANGED,), "*", _CHOICE, _was_null),
    _Sentence("via.request.query", (Kind.ADDED,), "query:api-version", _VERSION),
    _Sentence("via.repaired", (), "*", _VERSION, _no_version),
    _Sentence(
        "via.answer.headers",
        (Kind.RENAMED,),
        "*",
        _policy(
            "the value arrives under a name of the gateway's own; clients of the service don't look there",
            _INTERMEDIARIES,
        ),
    ),
    _Sentence(
        "via.answer.error",
        (Kind.CHANGED,),
        "/error/message",
        _policy(
            "the words of the service arrive, with words of the gateway around them",
            "Azure REST API guidelines: a message is for people, and no client should parse it",
        ),
        _still_there,
    ),
    _Sentence(
        "via.answer.error",
        (Kind.CHANGED,),
        "/error/message",
        _policy(
            "the gateway masks in the words of the service what looks like a secret",
            "CWE-209: generation of an error message with sensitive information",
        ),
        _masked,
    ),
    _Sentence(
        "via.stream.events",
        (Kind.DROPPED,),
        "/usage chunk",
        _legal(
            "the client did not ask for the chunk: it came because the gateway asked for it",
            f"{_REFERENCE}: stream_options.include_usage",
        ),
        _usage_not_asked,
    ),
    _Sentence(
        "via.*.nulls",
        (),
        "*",
        _legal("the document allows null and its absence, or doesn't say", "the document of the api-version"),
    ),
    _Sentence(
        "via.request.bytes",
        (),
        "*",
        _legal("the same JSON value in another spelling", "RFC 8259 sections 2 and 4"),
    ),
    _Sentence(
        "via.request.headers",
        (Kind.ADDED,),
        "*",
        _legal("a field more, which the service doesn't have to know", _INTERMEDIARIES),
    ),
    _Sentence(
        "via.answer.other-headers",
        (Kind.ADDED,),
        "*",
        _legal("a field more, which clients don't have to know", _INTERMEDIARIES),
    ),
    _Sentence("via.request.headers", (), "*", _KEEPS),
    _Sentence("via.answer.other-headers", (), "*", _KEEPS),
    _Sentence("via.parallel.limit", (), "*", _LIMITS),
    _Sentence(
        "via.parallel.order",
        (),
        "*",
        _policy(
            "the gateway has a queue in which the last may be the first",
            "RFC 9110 section 3.3: each request is understood in isolation",
        ),
    ),
    _Sentence("via.parallel.refused", (), "*", _LIMITS, _too_many),
    _Sentence(
        "via.isolation.fault",
        (),
        "*",
        _policy(
            "the gateway leaves an upstream alone for a while that failed",
            "Azure Architecture Center: Circuit Breaker pattern",
        ),
    ),
    _Sentence(
        "via.request.unasked",
        (),
        "*",
        _policy("the gateway asks on its own, for instance whether the upstream lives", "what the upstream received"),
    ),
)


def nature_of(
    difference: Difference, passage: Passage | None, declared: Gateway, clause: str, source: str
) -> Judgement:
    """What a difference is. ``clause`` and ``source`` are those of its rule."""
    for does, one in declared:
        if difference.kind in DECLARES[does] and one.covers(difference.side, difference.field):
            return Judgement(one.nature, one.reason, "declared", declared=True)
    for sentence in TABLE:
        if sentence.speaks_of(difference, passage):
            return sentence.judgement
    return Judgement(Nature.LEGAL if difference.level is Level.OBS else Nature.DEFECT, clause, source)
