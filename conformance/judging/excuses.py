"""Refusals of valid requests that say nothing about conformance: they are about the content, the model or the account.

Each is recognised by what the service says in such a case: the code of the error, or words of its message. A refusal
that names something which the request doesn't hold is no excuse: who refuses everything with ``unsupported_parameter``
has not explained anything. ``source`` is where the words were documented or reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.evidence.text_damage import strings
from conformance.evidence.trace import Observation
from conformance.requests.case import Case, Expect, RawBody
from conformance.requests.field_rules import body_of
from conformance.verdict import Outcome

__all__ = ["KNOWN", "Excuse", "Known", "excuse"]

#: The least number of tokens that a model of the service can read: that of the first GPT-3 models.
_SMALLEST_CONTEXT = 2_048

#: Fields that ask for tokens of the answer, which share the context with the request.
_ANSWER_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

#: What stands around a name in a message of the service.
_QUOTED = re.compile(r"'([^']*)'")


@frozen
class Excuse:
    """Why the refusal of a valid request is no failure."""

    outcome: Outcome
    reason: str


def _anything(_case: Case, _error: Mapping[str, Any]) -> bool:
    """The refusal fits every request."""
    return True


def _named(case: Case, error: Mapping[str, Any]) -> bool:
    """The refusal names a parameter of the request, or none."""
    param = error.get("param")
    # In a path of the form messages[0].content or reasoning.effort the first name is that of the field.
    return not isinstance(param, str) or re.split(r"[.\[]", param, maxsplit=1)[0] in {"", "model", *_fields(case)}


def _bound_to_models(case: Case, error: Mapping[str, Any]) -> bool:
    """The refusal names a parameter of a request that asks for more than every model can do."""
    return (
        isinstance(error.get("param"), str) and error["param"] != "" and _named(case, error) and "+" in case.capability
    )


def _quoting(case: Case, error: Mapping[str, Any]) -> bool:
    """The first word that the message quotes, or the second, is in the request: the name of a field is often first."""
    sent = set(_words(case))
    return any(word in sent for word in _QUOTED.findall(str(error.get("message")))[:2] if word not in _fields(case))


def _dimensions(case: Case, _error: Mapping[str, Any]) -> bool:
    return "dimensions" in _fields(case)


def _long(case: Case, _error: Mapping[str, Any]) -> bool:
    """The request may be longer than the context of a model. A token stands for one byte or more (UTF-8)."""
    body, value = case.body, body_of(case)
    size = len(body.data) if isinstance(body, RawBody) else len("".join(_words(case)).encode("utf-8", "replace"))
    asked = [value.get(name) for name in _ANSWER_TOKENS] if isinstance(value, Mapping) else []
    return size + sum(number for number in asked if isinstance(number, int)) >= _SMALLEST_CONTEXT


@frozen
class Known:
    """One kind of refusal: the codes or the words by which it is known, and which requests it ``fits``.

    ``codes`` are in lower case; with ``words`` too, both must be there.
    """

    outcome: Outcome
    source: str
    codes: frozenset[str] = frozenset()
    words: str = ""
    fits: Callable[[Case, Mapping[str, Any]], bool] = _anything

    def meets(self, case: Case, error: Mapping[str, Any]) -> bool:
        """Return True if the error of an answer to a request is of this kind."""
        code, message = error.get("code"), error.get("message")
        # The service writes the same code in several cases.
        coded = not self.codes or (isinstance(code, str) and code.lower() in self.codes)
        said = not self.words or (
            isinstance(message, str) and re.search(self.words, message, re.IGNORECASE) is not None
        )
        return coded and said and self.fits(case, error)


#: All kinds. The first one that fits is told.
KNOWN = (
    Known(
        Outcome.INCONCLUSIVE,
        "Microsoft's page on content filtering; the newer inner code: theopenco/llmgateway#4064",
        codes=frozenset({"content_filter", "contentfilter", "contentfiltered", "responsibleaipolicyviolation"}),
    ),
    Known(
        Outcome.INCONCLUSIVE,
        "Microsoft's page on quotas and limits",
        codes=frozenset({"insufficient_quota", "quotaexceeded"}),
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "answers of a simulator by Microsoft, microsoft/aoai-api-simulator",
        codes=frozenset({"operationnotsupported", "unsupported_model"}),
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "lobehub/lobehub#5909, promptfoo/promptfoo#6153",
        codes=frozenset({"unsupported_parameter", "unsupported_value"}),
        fits=_named,
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "response_format of images: Azure/azure-sdk-for-net#49965; reasoning_effort: promptfoo/promptfoo#3781",
        codes=frozenset({"unknown_parameter"}),
        fits=_bound_to_models,
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "sizes of images: openai-php/client#641",
        codes=frozenset({"invalid_value"}),
        words="supported values are",
        fits=_bound_to_models,
    ),
    Known(
        Outcome.INCONCLUSIVE,
        "Azure/azure-sdk-for-java#40681",
        codes=frozenset({"context_length_exceeded"}),
        fits=_long,
    ),
    Known(Outcome.NOT_APPLICABLE, "langgenius/dify#8994", words="enabled only for api versions"),
    Known(
        Outcome.NOT_APPLICABLE,
        "microsoft/kernel-memory#805",
        words="does not support specifying dimensions",
        fits=_dimensions,
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "mrwadams/stride-gpt#19, langchain-ai/langchainjs#7593",
        words="^invalid parameter: .* is not supported with this model",
        fits=_quoting,
    ),
    Known(
        Outcome.NOT_APPLICABLE,
        "Azure-Samples/computer-use#8, QuantumNous/new-api#1586",
        words="^hosted tool '.*' is not supported with",
        fits=_quoting,
    ),
)


def excuse(seen: Observation) -> Excuse | None:
    """The excuse for a 4xx answer to a valid request; None if there is none."""
    status = seen.exchange.status
    if seen.case.expect is not Expect.ACCEPT or status is None or not 400 <= status < 500:
        return None
    for error in _errors(seen.json):
        for known in KNOWN:
            if known.meets(seen.case, error):
                return Excuse(known.outcome, f"refused with {_told(known, error)}, which is not about conformance")
    if _filtered(seen.json):
        return Excuse(Outcome.INCONCLUSIVE, "the completion was filtered, which is not about conformance")
    return None


def _told(known: Known, error: Mapping[str, Any]) -> str:
    """The refusal in a few words."""
    return str(error["code"]) if known.codes else repr(str(error["message"])[:120])


def _errors(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the error object of an answer and its inner error."""
    if isinstance(value, dict):
        # The flat form of a gateway has the code at the top.
        error = value.get("error", value)
        if isinstance(error, dict):
            yield error
            inner = error.get("innererror", error.get("inner_error"))
            if isinstance(inner, dict):
                yield inner


def _filtered(value: Any) -> bool:
    """Return True for a completion whose choices were all ended by the content filter: some gateways send it as 400."""
    choices = value.get("choices") if isinstance(value, dict) else None
    return (
        isinstance(choices, list)
        and choices != []
        and all(isinstance(one, dict) and one.get("finish_reason") == "content_filter" for one in choices)
    )


def _fields(case: Case) -> frozenset[str]:
    """The names of the parameters that a request holds, in its body and its query."""
    body = body_of(case)
    return frozenset((*(body if isinstance(body, Mapping) else ()), *(name for name, _ in case.query)))


def _words(case: Case) -> Iterator[str]:
    """Yield all strings of a request's body, names too."""
    return (text for _, text in strings(body_of(case)))
