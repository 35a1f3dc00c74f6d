"""The rows that LiteLLM 1.108.7 has in a report of ``via``, each looked at in its evidence, with what it is.

The key is (nature, rule, kind, field). Rows that never count (legal ones) are not listed. ``tox run -e gateways``
fails if a run has a row that nobody has looked at.
"""

from __future__ import annotations

__all__ = ["LOOKED_AT"]

_LOST = "completions are read into a type that has no such member; what it lacks is lost"
_CHUNK = "chunks of completions are read into a type that has no such member"
_MOVED = "the library keeps members that it doesn't know in provider_specific_fields"
_N = "of several choices in a stream only the first keeps its first and last chunk"
_OWN_CLOCK = "the time of the gateway stands in place of the service's"
_PREFIXED = "chats and embeddings: under the prefix llm_provider-"
_NO_HEADERS = "completions and requests that failed three times: no header of the service arrives, under no name"
_ERROR = "completions: the error object is made anew and has these members as null"

LOOKED_AT: dict[tuple[str, str, str, str], str] = {
    ("policy", "via.request.body", "added", "/stream"): "chats: its documented default is written out",
    ("policy", "via.request.body", "added", "/stream_options"): "streams of chats: it counts tokens by the usage chunk",
    ("policy", "via.request.body", "added", "/stream_options/include_usage"): "as above, with other stream options",
    ("policy", "via.request.body", "added", "/encoding_format"): "its library asks for base64 and decodes it",
    ("policy", "via.request.body", "changed", "/encoding_format"): "as above, where the client sent null",
    ("policy", "via.request.query", "added", "query:api-version"): "the api-version of its configuration",
    ("policy", "via.repaired", "repaired", "status"): "no api-version: that of its configuration is used",
    (
        "policy",
        "via.answer.error",
        "changed",
        "/error/message",
    ): "it is wrapped; what looks like a key is masked",
    ("policy", "via.answer.headers", "renamed", "header:apim-request-id"): _PREFIXED,
    ("policy", "via.answer.headers", "renamed", "header:x-ms-client-request-id"): _PREFIXED,
    ("policy", "via.answer.headers", "renamed", "header:x-ms-region"): _PREFIXED,
    ("policy", "via.answer.headers", "renamed", "header:x-request-id"): _PREFIXED,
    ("policy", "via.answer.headers", "renamed", "header:retry-after"): "of a 429: clients don't find when to try again",
    ("policy", "via.answer.headers", "renamed", "header:retry-after-ms"): "as above",
    ("defect", "via.answer.error", "changed", "/error/code"): "the code of the service becomes the status as text",
    ("defect", "via.answer.error", "changed", "/error/param"): _ERROR,
    ("defect", "via.answer.error", "changed", "/error/type"): _ERROR,
    ("defect", "via.answer.error", "added", "/error/type"): "a type that the service did not give is filled in",
    ("defect", "via.answer.body", "renamed", "/choices/*/content_filter_results"): _MOVED,
    ("defect", "via.answer.body", "renamed", "/choices/*/message/context"): _MOVED,
    ("defect", "via.answer.body", "dropped", "/choices/*/content_filter_results"): _LOST,
    ("defect", "via.answer.body", "dropped", "/prompt_filter_results"): _LOST,
    ("defect", "via.answer.body", "dropped", "/system_fingerprint"): _LOST,
    ("defect", "via.answer.body", "changed", "/choices/*/logprobs"): _LOST,
    ("defect", "via.answer.body", "changed", "/created"): f"completions: {_OWN_CLOCK}",
    ("defect", "via.answer.body", "added", "/usage/completion_tokens"): "embeddings: a count that the service has not",
    ("defect", "via.answer.body", "changed", "/choices/*/finish_reason"): "a forced tool: stop becomes tool_calls",
    ("defect", "via.answer.nulls-documented", "dropped", "/choices/*/finish_reason"): "chunks lose finish_reason: null",
    ("defect", "via.stream.events", "changed", "/created"): f"streams: {_OWN_CLOCK}",
    ("defect", "via.stream.events", "dropped", "/prompt filter chunk"): "the first chunk never arrives",
    ("defect", "via.stream.events", "added", "/empty chunk"): "with include_usage it arrives without its content",
    ("defect", "via.stream.events", "merged", "/usage chunk"): "the usage comes with a choice that says nothing",
    ("defect", "via.stream.events", "added", "/usage/cost"): "a price is added to the usage",
    ("defect", "via.stream.events", "added", "/usage"): "completions: a usage of zeros that nobody asked for",
    ("defect", "via.stream.events", "dropped", "/choices/choice */content_filter_results"): _CHUNK,
    ("defect", "via.stream.events", "dropped", "/system_fingerprint"): _CHUNK,
    ("defect", "via.stream.events", "dropped", "/choices/choice */logprobs"): _CHUNK,
    ("defect", "via.stream.events", "dropped", "/choices/choice *"): "completions: all choices arrive as choice 0",
    ("defect", "via.stream.events", "changed", "/choices/choice */text"): "so the texts of two choices are mixed",
    ("defect", "via.stream.events", "dropped", "/choices/choice */delta/role"): _N,
    ("defect", "via.stream.events", "dropped", "/choices/choice */finish_reason"): _N,
    ("defect", "via.stream.events", "changed", "/choices/choice */content_filter_results"): _N,
    ("defect", "via.refused", "refused", "status"): "500 for a prompt of null, an unknown field, a response format",
    ("defect", "via.repaired", "repaired", "status"): "too many stop texts, an empty or mistyped prompt, a tool choice",
    ("defect", "via.isolation", "leaked", "connection"): "after a 404 the deployment is left alone for five seconds",
    ("defect", "via.request.media-type", "changed", "header:content-type"): "text/plain is sent on as JSON",
    ("defect", "via.request.body", "changed", "/prompt"): "several prompts are joined, token ids become an empty text",
    ("defect", "via.request.body", "changed", "/seed"): "an integer beyond 64 bits becomes a float",
    ("defect", "via.request.body", "dropped", "/stop/*"): "the fifth stop text and all after it",
    ("defect", "via.request.body", "changed", "/stream_options"): "a text in its place is replaced",
    ("defect", "via.request.body", "dropped", "/tool_choice"): "where there are no tools",
    ("defect", "via.request.ids", "dropped", "header:traceparent"): "a trace ends at the gateway",
    ("defect", "via.request.ids", "dropped", "header:x-ms-client-request-id"): "the service can't find the request",
    (
        "defect",
        "via.request.cookies",
        "added",
        "header:cookie",
    ): "a cookie of the upstream goes with all later requests",
    ("defect", "via.answer.inside", "leaked", "header:x-litellm-model-api-base"): "the address of the upstream",
    ("defect", "via.answer.inside", "leaked", "/"): "a traceback in the message of an error",
    ("defect", "via.answer.headers", "dropped", "header:apim-request-id"): _NO_HEADERS,
    ("defect", "via.answer.headers", "dropped", "header:x-ms-client-request-id"): _NO_HEADERS,
    ("defect", "via.answer.headers", "dropped", "header:x-ms-region"): _NO_HEADERS,
    ("defect", "via.answer.headers", "dropped", "header:x-ratelimit-remaining-requests"): _NO_HEADERS,
    ("defect", "via.answer.headers", "dropped", "header:x-ratelimit-remaining-tokens"): _NO_HEADERS,
    ("defect", "via.answer.headers", "dropped", "header:x-request-id"): _NO_HEADERS,
}
