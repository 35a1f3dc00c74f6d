"""A list of models that does not fit its models."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.mutants.edit import fields, listed
from conformance.evidence.exchange import Response


@mutant("models.list-empty", "The models that can be looked at are listed.", "models.list")
def list_empty(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: data[:0])


@mutant("models.get-another", "A model is answered under the name that was asked for.", "models.get")
def get_another(call: Call, answer: Handler) -> Response:
    return fields(answer(call), id="another-model")


@mutant("models.duplicates", "A model is listed once.", "models.list")
def duplicates(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: [*data, *data[:1]])
