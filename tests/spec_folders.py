"""The files of a tiny api-version, for tests that make mistakes in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

OPENAPI = """\
openapi: 3.1.0
info: {title: Azure OpenAI data plane, version: tiny}
servers:
  - url: '{endpoint}/openai'
    variables: {endpoint: {default: 'https://example.openai.azure.com'}}
security: [{apiKey: []}, {bearer: []}]
paths:
  /deployments/{deployment-id}/embeddings:
    post:
      operationId: embeddings.create
      tags: [embeddings]
      parameters:
        - {name: deployment-id, in: path, required: true, schema: {type: string}}
        - {name: api-version, in: query, required: true, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/request'}
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema: {$ref: '#/components/schemas/answer'}
components:
  securitySchemes:
    apiKey: {type: apiKey, in: header, name: api-key}
    bearer: {type: http, scheme: bearer}
  schemas:
    request:
      type: object
      required: [input]
      properties:
        input: {type: string, minLength: 1}
        user: {type: string, maxLength: 64}
    answer:
      type: object
      required: [object]
      properties:
        object: {type: string, const: list}
        data: {type: array, items: {type: number}}
"""

VERSION = """\
label = "tiny"
status = "preview"
live = "no"
surface = "dated"
base_path = "/openai"
complete = true
features = []

[api_version]
in = "query"
name = "api-version"
required = true
accepted = ["tiny"]

[[source]]
title = "Written for a test"
document = "none"
"""

CLAUSES = """\
[[clause]]
id = "tiny-order"
text = "Vectors come in the order of the inputs."
source = "none"
provenance = "docs"
keyword = "MUST"
operations = ["embeddings.create"]
state = "planned"

[[refusal]]
id = "tiny-input"
operations = ["embeddings.create"]
pointer = "/input"
keyword = "minLength"
"""

ERRATA = """\
[[erratum]]
id = "tiny-user"
where = "/components/schemas/request/properties/user"
says = "at most 64"
holds = "at most 65"
why = "a test"
source = "none"
provenance = "docs"
patch = '''[
  {"op": "test", "path": "/components/schemas/request/properties/user/maxLength", "value": 64},
  {"op": "replace", "path": "/components/schemas/request/properties/user/maxLength", "value": 65}
]'''
"""

FILES = {"openapi.yaml": OPENAPI, "version.toml": VERSION, "clauses.toml": CLAUSES, "errata.toml": ERRATA}

#: Writes versions into a folder of its own: edits are (file, old text, new text); gives the folder of versions.
Maker = Callable[..., Path]
