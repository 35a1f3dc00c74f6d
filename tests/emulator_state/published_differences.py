"""What the published documents and the emulator are known to differ in: errata, and mistakes of the documents."""

from __future__ import annotations

__all__ = ["DOCUMENTS", "ERRATA", "EVENTS", "MISTAKES", "SEARCHED", "SELDOM"]

#: (document, version that it is held against)
DOCUMENTS = {
    "2024-05-01-preview.json": "2024-05-01-preview",
    "assistants-2024-05-01-preview.json": "2024-05-01-preview",
    "v1-preview.json": "v1-preview",
    "2025-04-01-preview.yaml": "2025-04-01-preview",
    "v1.yaml": "v1",
}

#: What a result of a search has, and the content of a file, which the document of v1 describes as one, has not.
SEARCHED = ("attributes", "content", "file_id", "filename", "score", "search_query")

#: Place and keyword of a difference → the erratum that explains it, or the mistake of the published document.
#: A list item's place is the place of the object itself.
ERRATA: dict[str, dict[tuple[str, str], str]] = {
    "2024-05-01-preview.json": {
        ("embedding", "type"): "embeddings-base64",
        ("first_id", "type"): "list-empty-ids",
        ("last_id", "type"): "list-empty-ids",
        ("expires_at", "type"): "run-nulls",
        ("object", "enum"): "run-step-object",
        ("status", "enum"): "run-status-incomplete",
        ("bytes", "required"): "vector-store-bytes",
        ("expired_at", "required"): "run-step-expires-at",
        ("expires_after", "type"): "vector-store-nulls",
    },
    "assistants-2024-05-01-preview.json": {
        ("expired_at", "required"): "run-step-expires-at",
        ("first_id", "type"): "list-empty-ids",
        ("last_id", "type"): "list-empty-ids",
        ("status", "enum"): "run-status-incomplete",
        ("expires_after", "type"): "vector-store-nulls",
    },
    "v1-preview.json": {
        ("first_id", "type"): "list-edges-*",
        ("last_id", "type"): "list-edges-*",
        ("expires_after", "type"): "vector-store-expiry-null",
        ("prompt", "type"): "null-reported-azure-response",
        ("user", "type"): "null-reported-azure-response",
        ("usage", "type"): "null-reported-azure-response",
        ("data_source", "anyOf"): "eval-list-data-source",
        ("error", "type"): "null-reported-eval-run",
        ("sample/error", "type"): "null-reported-eval-sample",
        ("size", "enum"): "image-size-values",
    },
    "2025-04-01-preview.yaml": {
        ("embedding", "type"): "embeddings-base64",
        ("first_id", "type"): "list-empty-ids",
        ("input_audio_transcription", "type"): "realtime-off-null",
        ("last_id", "type"): "list-empty-ids",
        ("output/*", "anyOf"): "reasoning-item-summary",
        ("user", "type"): "responses-user-null",
        ("expires_at", "type"): "run-nulls",
        ("status", "enum"): "run-status-incomplete",
        ("object", "enum"): "run-step-object",
        ("bytes", "required"): "vector-store-bytes",
        ("expired_at", "required"): "run-step-expires-at",
        ("expires_after", "type"): "vector-store-nulls",
    },
    "v1.yaml": {
        **{(name, "required"): "store-file-content" for name in SEARCHED},
        ("cancelled_at", "anyOf"): "unix-times",
        ("cancelled_at", "type"): "unix-times",
        ("content_filters", "required"): "response-content-filters",
        ("completed_at", "anyOf"): "unix-times",
        ("completed_at", "type"): "unix-times",
        ("embedding", "type"): "embedding-base64",
        ("error", "type"): "eval-run-nulls",
        ("estimated_finish", "anyOf"): "unix-times",
        ("estimated_finish", "type"): "unix-times",
        ("expires_after", "type"): "vector-store-nulls",
        ("expired_at", "type"): "unix-times",
        ("expires_at", "anyOf"): "unix-times",
        ("expires_at", "type"): "unix-times",
        ("failed_at", "type"): "unix-times",
        ("finished_at", "anyOf"): "unix-times",
        ("finished_at", "type"): "unix-times",
        ("first_id", "type"): "list-edges",
        ("grader", "anyOf"): "grader-multi-map",
        ("incomplete_at", "anyOf"): "unix-times",
        ("incomplete_at", "type"): "unix-times",
        ("last_active_at", "anyOf"): "unix-times",
        ("last_id", "type"): "list-edges",
        ("object", "enum"): "store-file-content",
        ("prompt", "type"): "response-prompt-null",
        ("prompt_filter_results/*/content_filter_results/indirect_attack", "required"): "prompt-filter-results",
        ("sample/error", "type"): "eval-run-nulls",
        ("started_at", "anyOf"): "unix-times",
        ("started_at", "type"): "unix-times",
        ("tool_choice", "type"): "response-tool-choice",
        ("usage", "type"): "response-echo-null",
        ("user", "type"): "response-echo-null",
    },
}
MISTAKES: dict[str, dict[tuple[str, str], str]] = {
    "2024-05-01-preview.json": {
        ("", "oneOf"): "a short transcription fits the short form and the long one, whose other fields are optional",
    },
    "2025-04-01-preview.yaml": {
        ("", "oneOf"): "a short transcription fits the short form and the long one, whose other fields are optional",
    },
    "v1.yaml": {},
    "assistants-2024-05-01-preview.json": {
        ("incomplete_details", "anyOf"): "the enum of reasons is put where the object should be",
    },
    "v1-preview.json": {
        ("embedding", "type"): "base64 may be asked for, and an answer has lists of numbers only",
        ("expires_at", "anyOf"): "an integer that must also be a date as text, or null",
        ("last_active_at", "anyOf"): "an integer that must also be a date as text, or null",
        ("finished_at", "anyOf"): "an integer that must also be a date as text, or null",
        ("estimated_finish", "anyOf"): "an integer that must also be a date as text, or null",
        ("expires_at", "type"): "null is among the choices, but the type beside them leaves it out",
        ("finished_at", "type"): "null is among the choices, but the type beside them leaves it out",
        ("estimated_finish", "type"): "null is among the choices, but the type beside them leaves it out",
        ("tool_choice", "type"): "the words auto, none and required are among the choices, but not among the types",
        ("content_filters", "required"): "content_filters is a field of a later state of the surface",
        ("grader", "anyOf"): "the graders of a multi grader are one grader there, a map in every example",
    },
}

#: What only many requests show, as above.
SELDOM: dict[str, dict[tuple[str, str], str]] = {
    "2025-04-01-preview.yaml": {
        ("tools/*", "oneOf"): "web-search-tool",
    },
    "v1.yaml": {
        ("method/reinforcement/grader", "anyOf"): "grader-multi-map",
        ("testing_criteria/*", "anyOf"): "eval-item-content",
    },
}

#: The same of the events of responses.
EVENTS: dict[str, dict[tuple[str, str], str]] = {
    "2025-04-01-preview.yaml": {
        ("item", "anyOf"): "reasoning-item-summary",
        ("response/output/*", "anyOf"): "reasoning-item-summary",
        ("response/tools/*", "oneOf"): "web-search-tool",
        ("response/usage", "type"): "responses-usage-null",
        ("response/user", "type"): "responses-user-null",
    },
    "v1.yaml": {
        ("response/content_filters", "required"): "response-content-filters",
        ("response/prompt", "type"): "response-prompt-null",
        ("response/tool_choice", "type"): "response-tool-choice",
        ("response/usage", "type"): "response-echo-null",
        ("response/user", "type"): "response-echo-null",
    },
}
