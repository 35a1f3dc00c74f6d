"""The capabilities that a deployment needs to answer a request: ``chat``, ``chat+vision``, ``embeddings+dimensions``.

The configuration lists the capabilities of each deployment (``aoai-conformance list capabilities``).
``operations.toml`` says which part of a request needs which capability (``[[need]]``).
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from conformance.requests.case import Case, Multipart
from conformance.requests.field_rules import body_of
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["with_capabilities"]


def with_capabilities(spec: Spec, case: Case) -> Case:
    """The case with the capabilities that its body needs, in addition to those that it has.

    A request that violates a constraint of a feature needs its capability too: a deployment without the feature may
    ignore the field, and no document says that it is refused. A case without any capability needs no deployment and
    stays as it is.
    """
    words = [word for word in case.capability.split("+") if word]
    if not words:
        return case
    body = _asked(case)
    broken = case.breaks.pointer if case.breaks is not None and case.breaks.location == "body" else ""
    operation = operations_of(spec).get(case.operation)
    for need in operation.facts.needs if operation is not None else ():
        if need.capability not in words and (need.shown(body) or (broken and need.holds(broken))):
            words.append(need.capability)
    return evolve(case, capability="+".join(words))


def _asked(case: Case) -> Any:
    """The body as JSON. The fields of a form are texts, of which booleans and integers are converted."""
    body = body_of(case)
    if not isinstance(case.body, Multipart):
        return body
    flags = {"true": True, "false": False}
    return {
        name: flags.get(text, int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text)
        if isinstance(text, str)
        else text
        for name, text in body.items()
    }
