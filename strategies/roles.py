"""The roles of cases: names by which a check finds the cases that it judges.

Probes (one fault in credentials, URL or framing)::

    probe.auth.none           no credential
    probe.auth.wrong          a wrong key; one operation per version only
    probe.api-version.missing, probe.api-version.unknown
    probe.deployment.unknown  a deployment (dated) or model (v1) that no resource has
    probe.method.wrong        a method that the path doesn't document
    probe.route.unknown       a path that doesn't exist
    probe.json.malformed, probe.json.truncated, probe.json.duplicate-key, probe.json.deep, probe.json.large
    probe.content-type.wrong  JSON that says it is text/plain
    probe.form.boundary, probe.form.truncated
    probe.id.unknown          an id that no object has

The plainest request once more, with gzip accepted: coding.gzip; with the deployment in the body too: model.named

Templates, by operation::

    chat, chat.roles, chat.turns, chat.n, chat.stop, chat.stop.list, chat.max-tokens, chat.seed, chat.logprobs,
    chat.json-object, chat.json-schema, chat.tool.offered, chat.forced-tool, chat.tool.round-trip,
    chat.tool.parallel, chat.stream.tool.parallel,
    chat.tool.parallel-round-trip, chat.function.forced, chat.function.round-trip, chat.image.png, chat.image.jpeg,
    chat.image.url, chat.data-sources, chat.content.null, chat.content.absent, chat.length,
    chat.stream, chat.stream.usage, chat.stream.n, chat.stream.tool, chat.stream.logprobs, chat.stream.json-object
    completions, completions.list, completions.tokens, completions.token-lists, completions.n, completions.stop,
    completions.echo, completions.suffix, completions.logprobs, completions.max-tokens, completions.best-of,
    completions.stream, completions.stream.n, completions.stream.usage
    embeddings, embeddings.batch, embeddings.tokens, embeddings.token-lists, embeddings.base64, embeddings.dimensions
    audio.<format>.<response format>, speech.<response format>, images, images.n, images.b64
    assistants.create.*, threads.create.*, messages.create.*, runs.create.*, vector-stores.create.*, files.upload.*
    batches.create.*, responses.*, evals.create.*, evals.runs.*, graders.*, fine-tuning.*, video.*
    list.default, list.limit, list.order; get; modify.*; delete

A check that can recognise a request by its content should do so and not look at the role.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AUTH_NONE",
    "AUTH_WRONG",
    "CODING_GZIP",
    "CONTENT_TYPE",
    "DEPLOYMENT_UNKNOWN",
    "FORM_BOUNDARY",
    "FORM_TRUNCATED",
    "ID_UNKNOWN",
    "JSON_DEEP",
    "JSON_DUPLICATE",
    "JSON_LARGE",
    "JSON_MALFORMED",
    "JSON_TRUNCATED",
    "METHOD_WRONG",
    "MODEL_NAMED",
    "ROUTE_UNKNOWN",
    "VERSION_MISSING",
    "VERSION_UNKNOWN",
]

AUTH_NONE: Final = "probe.auth.none"
AUTH_WRONG: Final = "probe.auth.wrong"
VERSION_MISSING: Final = "probe.api-version.missing"
VERSION_UNKNOWN: Final = "probe.api-version.unknown"
DEPLOYMENT_UNKNOWN: Final = "probe.deployment.unknown"
METHOD_WRONG: Final = "probe.method.wrong"
ROUTE_UNKNOWN: Final = "probe.route.unknown"
JSON_MALFORMED: Final = "probe.json.malformed"
JSON_TRUNCATED: Final = "probe.json.truncated"
JSON_DUPLICATE: Final = "probe.json.duplicate-key"
JSON_DEEP: Final = "probe.json.deep"
JSON_LARGE: Final = "probe.json.large"
CODING_GZIP: Final = "coding.gzip"
MODEL_NAMED: Final = "model.named"
CONTENT_TYPE: Final = "probe.content-type.wrong"
FORM_BOUNDARY: Final = "probe.form.boundary"
FORM_TRUNCATED: Final = "probe.form.truncated"
ID_UNKNOWN: Final = "probe.id.unknown"
