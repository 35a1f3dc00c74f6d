"""Mutants of the list of models."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import with_fields, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response


@mutant("models.list-empty", "Every model that can be read is listed.", "models.list")
def list_empty(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: data[:0])


@mutant("models.get-another", "Reading a model gives the model with the requested id.", "models.get")
def get_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), id="another-model")


@mutant("models.duplicates", "Every model is listed once.", "models.list")
def duplicates(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [*data, *data[:1]])
