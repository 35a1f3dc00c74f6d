"""Defects and mutants whose rule is at most a SHOULD, so that it is right that they don't fail.

Each entry has the outcome that is right and why. ``line`` is quoted from the levels that bind this project (the file
``levels.md`` that lies beside the checkout where the published documents do); a test looks for it there. Where the
levels say nothing, ``clause`` names the clause whose own source says SHOULD. No check that objects to a listed defect
may judge by a MUST clause, but for those that ``beside`` names: their checks tell the softer finding too.
"""

from __future__ import annotations

from attrs import frozen
from imported import FILMS

__all__ = ["SOFTER", "Softer", "softer"]


@frozen
class Softer:
    """Why a defect is at most ``outcome`` (``warn``, ``note`` or ``not_testable``). ``versions``: empty for all."""

    outcome: str
    line: str = ""
    clause: str = ""
    beside: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


_BEFORE = Softer("note", "Semantics of `before`: OBS.")
_REFUSALS = Softer(
    "warn", "A reject is MUST only where a document or a second source says that the service refuses; else SHOULD"
)
_CODE = Softer("warn", 'a number or the text "None" SHOULD', beside=("errors-envelope",))
#: No finite wait shows that a state never comes.
_LATE = Softer("not_testable", "past the deadline `not_testable`")
#: Videos document errors of another form, so only a gateway's answers have this one there.
_GATEWAY = Softer(
    "warn", "Gateway answers (401, 403, 413, 414, 429, 5xx): SHOULD", beside=("errors-envelope",), versions=(FILMS,)
)
#: A film in place of its picture, and the other way round.
_MEDIA = Softer("warn", "the media type of `content` is SHOULD", beside=("video-content",))

SOFTER: dict[str, Softer] = {
    "batches.any-purpose": Softer("warn", clause="batch-input-file"),
    "batches.broken-lines-skipped": Softer("warn", clause="batch-input-file"),
    "batches.completed-too-early": Softer("warn", clause="batch-times"),
    "batches.fails-in-silence": Softer("warn", clause="batch-errors"),
    "batches.results-as-input": Softer("warn", clause="batch-output-purpose"),
    "batches.times-turned": Softer("warn", clause="batch-times"),
    "containers.files-not-copied": Softer("warn", clause="container-files-copied"),
    "containers.limit-lost": Softer("warn", clause="container-echo"),
    "containers.size-wrong": Softer("warn", clause="container-file-of-container"),
    "containers.source-wrong": Softer("warn", clause="container-file-of-container"),
    "cursor.before-as-after": _BEFORE,
    "cursor.before-ignored": _BEFORE,
    "cursor.before-inclusive": _BEFORE,
    "cursor.has-more-when-full": Softer("warn", "has_more exact with `after`: SHOULD."),
    "evals.never-ends": _LATE,
    "file.never-processed": Softer("not_testable", "upload may be `pending`"),
    "limits.unknown-filter": _REFUSALS,
    "limits.unknown-order": _REFUSALS,
    "limits.unknown-purpose": _REFUSALS,
    # Where a model can be tuned and deleted, the list has to show it: there it fails.
    "models.list-empty": Softer("warn", clause="models-some", versions=("v1-preview",)),
    # A version with cancelling shows that a cancelled response goes on: there it fails.
    "responses.background-never-ends": Softer(
        "not_testable", "past the deadline `not_testable`", versions=("v1-preview",)
    ),
    "copies.elsewhere": Softer("warn", clause="checkpoint-copy-place"),
    "copies.restart": Softer("warn", clause="checkpoint-copy-ends"),
    "permissions.another-project": Softer("warn", clause="checkpoint-permission-given"),
    "permissions.every-project": Softer("warn", clause="checkpoint-permission-project"),
    "realtime.call-goes-on": Softer("warn", clause="realtime-call-over"),
    "realtime.call-nowhere": Softer("warn", clause="realtime-call-located"),
    "realtime.secret-for-another": Softer("warn", clause="realtime-secret-session"),
    "realtime.secret-forever": Softer("warn", clause="realtime-secret-expires"),
    "responses.input-order-fixed": Softer(
        "warn", "created_at has one-second resolution: monotone MUST, ties in any order"
    ),
    "responses.unknown-previous-accepted": _REFUSALS,
    "responses.cancel-unconfirmed": Softer("warn", clause="response-cancel-answer"),
    "run.incomplete-as-completed": Softer("warn", clause="runs-limit"),
    "run.never-ends": Softer("warn", "`expired` is too slow to judge: excluded."),
    "run.outputs-lost": Softer("warn", clause="run-steps-outputs"),
    "run.usage-missing": Softer("warn", "absent after a cut or filter is fine"),
    "run.usage-while-running": Softer("warn", "Usage: a total that doesn't add up is MUST"),
    "search.content-cut": Softer("warn", clause="store-file-content"),
    "search.content-missing": Softer("warn", clause="store-file-content"),
    "search.content-of-another": Softer("warn", clause="store-file-content"),
    "search.filter-inverted": Softer("warn", clause="vector-store-search-filter"),
    "search.ignores-filters": Softer("warn", clause="vector-store-search-filter"),
    "search.ignores-limit": Softer("warn", clause="vector-store-search-limit"),
    "search.ignores-threshold": Softer("warn", clause="vector-store-search-threshold"),
    "search.promises-more": Softer("warn", clause="vector-store-page-token"),
    "search.token-for-nothing": Softer("warn", clause="vector-store-page-token"),
    "store.batch-never-ends": _LATE,
    "store.never-ends": Softer("not_testable", "`file_counts` add up MUST in a terminal state only"),
    "tuning.first-event-missing": Softer("warn", "late is `warn`; MUST only after it."),
    "tuning.result-file-unknown": Softer("warn", clause="tuning-results"),
    "video.generation-outlives-job": Softer("warn", clause="video-deleted"),
    "video.never-done": Softer("warn", "video jobs on a live target: 2xx or 4xx; past the deadline `not_testable`"),
    "videos.completed-at-missing": Softer("warn", clause="video-times"),
    "videos.completed-before-created": Softer("warn", clause="video-times"),
    "videos.content-a-picture": _MEDIA,
    "videos.content-no-film": Softer("warn", clause="video-format"),
    # No document says how a film is refused that isn't ready yet.
    "videos.content-too-early": Softer(
        "note", "[G] is general knowledge, unproven: at most OBS.", beside=("video-content",)
    ),
    "videos.expires-before-created": Softer("warn", clause="video-times"),
    "videos.expires-in-milliseconds": Softer("warn", clause="video-times"),
    "videos.fails-in-silence": Softer("warn", clause="video-failure"),
    "videos.film-outlives-video": Softer("warn", clause="video-deleted"),
    "videos.length-default": Softer("warn", clause="state-defaults"),
    "videos.model-lost": Softer("warn", "`model` in the answer: not empty SHOULD"),
    "videos.never-begins": _LATE,
    "videos.never-ends": _LATE,
    "videos.progress-above": Softer("warn", clause="video-progress"),
    # It is called approximate.
    "videos.progress-falls": Softer("note", "[G] is general knowledge, unproven: at most OBS."),
    "videos.progress-negative": Softer("warn", clause="video-progress"),
    "videos.queued-again": Softer("warn", clause="video-states"),
    "videos.remix-forgets-later": Softer("warn", clause="video-remix-named"),
    "videos.remix-names-none": Softer("warn", clause="video-remix-named"),
    "videos.remix-unlisted": Softer("warn", clause="video-listed"),
    "videos.size-default": Softer("warn", clause="state-defaults"),
    "videos.thumbnail-a-film": _MEDIA,
    "event.sound-piece-lost": Softer("warn", clause="responses-stream-audio-joined"),
    "event.transcript-piece-lost": Softer("warn", clause="responses-stream-audio-joined"),
    "stream.no-role": Softer("warn", "Role once: SHOULD; not for completions."),
    "stream.no-usage": Softer("warn", clause="chat-stream-usage-chunk"),
    # Where a version has the Assistants API its events without names fail.
    "stream.unnamed": Softer(
        "warn", "a missing `event:` line warns", beside=("responses-event-name",), versions=("v1", "v1-preview")
    ),
    "error.code-none": _CODE,
    "error.code-number": _CODE,
    "error.code-object": _GATEWAY,
    "error.message-list": _GATEWAY,
    "http.error-no-message": _GATEWAY,
    "error.key-shown": Softer("warn", "(key, token, cookie) shown in an answer: SHOULD"),
    "error.no-code": Softer("warn", "`code` absent SHOULD (no document requires it)", beside=("errors-envelope",)),
    "error.param-none": Softer("warn", clause="errors-code", beside=("errors-envelope",)),
    "response.items-one-id": Softer("warn", clause="responses-item-ids"),
    "response.usage-lost": Softer("warn", clause="responses-usage-given"),
    # The bytes of tokens decide what their text is; a stream whose tokens then aren't its text warns too.
    "value.bytes-wrong": Softer("warn", clause="chat-logprobs-bytes", beside=("chat-logprobs",)),
    "value.id-constant": Softer("warn", clause="model-answer-ids"),
    "value.id-empty": Softer("warn", clause="model-answer-ids", beside=("chat-chunk-same-id",)),
    "value.model-empty": Softer("warn", "`model` in the answer: not empty SHOULD"),
    "value.top-unsorted": Softer("warn", clause="chat-logprobs-most-likely"),
    "value.usage-constant": Softer("warn", clause="usage-prompts-differ"),
    "value.vector-zero": Softer("warn", clause="embeddings-not-zero"),
    "text.replaced": Softer(
        "warn",
        "A rule that one unlucky sample of a model can break",
        beside=("http-text-undamaged", "stream-text-undamaged"),
    ),
    "http.coded": Softer("warn", clause="http-content-coding-accepted"),
    "store.expires-at-wrong": Softer("warn", clause="vector-store-expires-at"),
}


def softer(name: str, version: str) -> Softer | None:
    """The entry of a defect in a version; None if it must fail there."""
    entry = SOFTER.get(name)
    return entry if entry is not None and (not entry.versions or version in entry.versions) else None
