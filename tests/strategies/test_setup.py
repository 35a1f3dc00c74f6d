"""The objects that requests name: made before, or ids that no object has."""

from __future__ import annotations

import pytest
from corpus_stage import PROVED, corpus

from conformance.corpus.corpus import build_corpus
from conformance.requests.wire import PLACEHOLDER
from conformance.spec.loading import load

#: What the run fills in by itself.
GIVEN = {"deployment", "run"}


@pytest.mark.parametrize("version", PROVED)
def test_a_path_names_what_the_corpus_makes_or_what_nobody_has(version: str) -> None:
    """Whatever the parameter is called: a placeholder that nothing fills is never sent, so nothing would be judged."""
    unfilled = set()
    for part in corpus(version).parts:
        made = {name for case in (*part.setup, *part.fresh, *part.cases) for name in case.creates} | GIVEN
        for case in part.cases:
            named = {name for text in case.path_params.values() for name in PLACEHOLDER.findall(text)}
            unfilled |= {(part.operation, name) for name in named - made}
    assert set() == unfilled


def test_a_model_of_the_run_is_deleted_only_if_something_makes_one() -> None:
    made = build_corpus(load("v1"), operations=["models.delete"], cached=False)
    names = {case.path_params["model"] for case in made}
    assert {"conformance-no-such-deployment"} == names


@pytest.mark.parametrize("version", PROVED)
def test_no_request_is_undone_by_deleting_the_model_that_it_used(version: str) -> None:
    """An answer names its model as one that creates something names the object; the model is the owner's."""
    cases = [case for part in corpus(version).parts for case in (*part.setup, *part.fresh, *part.cases)]
    assert [] == [case.operation for case in cases if case.undo is not None and case.undo.operation == "models.delete"]
