"""A version with operations that no module knows: all that the suite does with them follows from its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_folders import VERSION, Maker

from conformance.corpus.corpus import Corpus, build_corpus
from conformance.requests.case import Case, Cost, Expect
from conformance.requests.profile import Profile
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.spectools.lint import lint

OPENAPI = """\
openapi: 3.1.0
info: {title: Azure OpenAI data plane, version: tiny}
servers:
  - url: '{endpoint}/openai'
    variables: {endpoint: {default: 'https://example.openai.azure.com'}}
security: [{apiKey: []}, {bearer: []}]
paths:
  /gadgets:
    get:
      operationId: gadgets.list
      tags: [gadgets]
      parameters: [{$ref: '#/components/parameters/version'}]
      responses: {'200': {$ref: '#/components/responses/gadget'}}
    post:
      operationId: gadgets.create
      tags: [gadgets]
      parameters: [{$ref: '#/components/parameters/version'}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/gadgetRequest'}}}
      responses: {'200': {$ref: '#/components/responses/gadget'}}
  /gadgets/{gadget_id}:
    get:
      operationId: gadgets.get
      tags: [gadgets]
      parameters: [{$ref: '#/components/parameters/gadget'}, {$ref: '#/components/parameters/version'}]
      responses: {'200': {$ref: '#/components/responses/gadget'}}
    delete:
      operationId: gadgets.delete
      tags: [gadgets]
      parameters: [{$ref: '#/components/parameters/gadget'}, {$ref: '#/components/parameters/version'}]
      responses: {'200': {$ref: '#/components/responses/gadget'}}
  /gadgets/{gadget_id}/halt:
    post:
      operationId: gadgets.halt
      tags: [gadgets]
      parameters: [{$ref: '#/components/parameters/gadget'}, {$ref: '#/components/parameters/version'}]
      responses: {'200': {$ref: '#/components/responses/gadget'}}
  /deployments/{deployment-id}/sketches:
    post:
      operationId: sketches.create
      tags: [sketches]
      parameters: [{$ref: '#/components/parameters/deployment'}, {$ref: '#/components/parameters/version'}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/sketchRequest'}}}
      responses: {'200': {$ref: '#/components/responses/gadget'}}
components:
  securitySchemes:
    apiKey: {type: apiKey, in: header, name: api-key}
    bearer: {type: http, scheme: bearer}
  parameters:
    version: {name: api-version, in: query, required: true, schema: {type: string}}
    gadget: {name: gadget_id, in: path, required: true, schema: {type: string}}
    deployment: {name: deployment-id, in: path, required: true, schema: {type: string}}
  responses:
    gadget:
      description: OK
      content: {application/json: {schema: {$ref: '#/components/schemas/gadget'}}}
  schemas:
    gadget:
      type: object
      required: [id]
      properties: {id: {type: string}}
    gadgetRequest:
      type: object
      required: [model, name]
      properties:
        model: {type: string}
        name: {type: string, minLength: 1}
    sketchRequest:
      type: object
      required: [prompt]
      properties:
        prompt: {type: string, minLength: 1}
        n: {type: integer, minimum: 1, maximum: 2}
        style: {type: string, enum: [plain, wild]}
        colour: {type: string, enum: [red, blue]}
"""

OPERATIONS = """\
[[operation]]
operations = ["gadgets.*"]
capability = "assistants"
model_used_later = true
prefixes = {gadget_id = "gadget_"}

[[operation]]
operations = ["gadgets.halt"]
state_dependent = true

[[operation]]
operations = ["sketches.create"]
capability = "images"
cost = "images"
expensive = "images"

[probes]
wrong_key = ["gadgets.list"]

[[gate]]
operations = ["sketches.create"]
fields = ["/style"]
reason = "only some models have a style"

[[ability]]
feature = "sketches.colour"
operations = ["sketches.create"]
fields = ["/colour"]

[[need]]
capability = "vision"
operations = ["sketches.create"]
fields = ["/colour"]
"""

FEATURES = 'features = ["sketches.colour"]'
FILES = {
    "openapi.yaml": OPENAPI,
    "version.toml": VERSION.replace("features = []", FEATURES),
    "operations.toml": OPERATIONS,
}


@pytest.fixture
def folder(versions_folder: Maker) -> Path:
    return versions_folder(files=FILES)


@pytest.fixture
def spec(folder: Path) -> Spec:
    return load("tiny", folder)


@pytest.fixture
def corpus(spec: Spec) -> Corpus:
    return build_corpus(spec, Profile.STANDARD, cached=False)


def cases_of(corpus: Corpus, operation: str) -> list[Case]:
    return [case for case in corpus if case.operation == operation]


def test_its_folder_is_in_order(folder: Path) -> None:
    assert () == lint(("tiny",), folder)


@pytest.mark.parametrize("profile", Profile.ALL)
def test_every_profile_asks_every_operation(spec: Spec, profile: str) -> None:
    made = build_corpus(spec, profile, cached=False)
    assert set(operations_of(spec)) == {part.operation for part in made.parts if part.cases}


def test_capability_cost_and_kind_follow_the_facts(corpus: Corpus) -> None:
    sketches = [case for case in cases_of(corpus, "sketches.create") if case.method == "POST"]
    assert {"images", "images+vision"} == {case.capability for case in sketches}
    assert {"images+vision"} == {case.capability for case in sketches if "colour" in (case.json or {})}
    assert {"images"} == {case.expensive for case in sketches}
    assert Cost(images=2) in {case.cost for case in sketches if (case.json or {}).get("n") == 2}
    gadgets = cases_of(corpus, "gadgets.create")
    assert {("assistants", "", Cost())} == {(case.capability, case.expensive, case.cost) for case in gadgets}


def test_expectations_follow_the_facts(corpus: Corpus) -> None:
    (late,) = [case for case in cases_of(corpus, "gadgets.create") if case.role == "probe.deployment.unknown"]
    assert Expect.EITHER is late.expect
    halted = [case for case in cases_of(corpus, "gadgets.halt") if not case.role.startswith("probe.")]
    assert {Expect.EITHER} == {case.expect for case in halted}
    styled = [case for case in cases_of(corpus, "sketches.create") if (case.json or {}).get("style") == "wild"]
    assert styled
    assert {(Expect.EITHER, "only some models have a style")} == {(case.expect, case.reason) for case in styled}


def test_ids_and_the_wrong_key_follow_the_facts(corpus: Corpus) -> None:
    impossible = {case.path_params["gadget_id"] for case in cases_of(corpus, "gadgets.get")} - {"{gadget_id}"}
    assert {"gadget_" + "0" * 24} == impossible
    assert ["gadgets.list"] == [case.operation for case in corpus if case.role == "probe.auth.wrong"]


def test_a_scenario_creates_what_an_operation_needs(corpus: Corpus) -> None:
    """The story of each operation is told from the paths: which POST makes the object, which DELETE removes it."""
    told = {scenario.id: scenario for scenario in corpus_scenarios(corpus)}
    assert {f"corpus.{part.operation}" for part in corpus.parts} == set(told)
    (setup,) = next(part.setup for part in corpus.parts if part.operation == "gadgets.get")
    assert ("gadgets.create", "assistants", {"gadget_id": "/id"}) == (setup.operation, setup.capability, setup.creates)
    assert setup.undo is not None
    assert ("DELETE", "/gadgets/{gadget_id}") == (setup.undo.method, setup.undo.path)


def test_a_feature_that_it_does_not_list_is_not_asked_for(versions_folder: Maker) -> None:
    folder = versions_folder(("version.toml", FEATURES, "features = []"), files=FILES)
    made = build_corpus(load("tiny", folder), Profile.STANDARD, cached=False)
    sketches = cases_of(made, "sketches.create")
    assert [] == [case for case in sketches if (case.json or {}).get("colour")]
    assert [] != [case for case in sketches if (case.json or {}).get("style")]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"gadgets.halt"',
            '"gadgets.stop"',
            "operation 1: operations: gadgets.stop names no operation of this version",
        ),
        ('"/style"', '"/styles"', "gate 0: fields: /styles names no place in the request of sketches.create"),
        ('capability = "images"', 'capability = "image"', "operation 2: capability: image is not known; did you mean"),
        ('expensive = "images"', 'expensive = "imagery"', "operation 2: expensive: imagery is not known; did you mean"),
        ('["gadgets.list"]', '["gadget.list"]', "probes: wrong_key: gadget.list is no operation of this version"),
    ],
)
def test_a_fact_about_nothing_is_told(versions_folder: Maker, old: str, new: str, told: str) -> None:
    (problem,) = lint(("tiny",), versions_folder(("operations.toml", old, new), files=FILES))
    assert f"operations.toml:{problem.line}: {told}" in str(problem)
    assert problem.line > 1
