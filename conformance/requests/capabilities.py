"""The capabilities that a deployment needs to answer a request: ``chat``, ``chat+vision``, ``embeddings+dimensions``.

Configuration maps deployments to these words (``aoai-conformance list capabilities``). What of a request needs which
word stands in ``operations.toml`` (``[[need]]``).
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
    """The case with the words for everything that its body asks for, after those that it has.

    A request that breaks a constraint of something needs the word for it too: a deployment without that thing may
    ignore the field, and nobody promised that it is refused. A case without a word needs no deployment; it stays so.
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
    """The content of the body. The fields of a form are texts; flags and whole numbers are read."""
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
