"""Every method that the ``openai`` package has for a version, against the emulator; what goes over the wire is judged.

The methods are found by looking at the package, so one that it gains is missed here by its name. The package's own
types must fit what the emulator answers, or the difference is one that a document states.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import httpx
import pytest
from client_methods import documented, is_documented, routes
from client_recorder import Connect, Notes
from client_stories import stories

from conformance.cli import main
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.verdict import Outcome
from reports import jsonl

#: Methods that no document of ours describes, by name or as all of a resource, each with the reason.
ELSEWHERE = {
    "admin.*": "keys, projects and users of an organization are managed by Azure Resource Manager",
    "audio.voice_consents.*": "no document has voices",
    "audio.voices.*": "no document has voices",
    "beta.agents.*": "no document has agents",
    "beta.chat.completions.messages.list": "no document has stored completions on this route",
    "beta.chat.completions.delete": "no document has stored completions on this route",
    "beta.chat.completions.list": "no document has stored completions on this route",
    "beta.chat.completions.retrieve": "no document has stored completions on this route",
    "beta.chat.completions.update": "no document has stored completions on this route",
    "beta.chatkit.*": "no document has ChatKit",
    "beta.realtime.connect": "a WebSocket",
    "beta.responses.compact": "no document has it",
    "beta.responses.connect": "a WebSocket",
    "beta.responses.input_tokens.count": "no document has it",
    "chat.completions.messages.list": "no document has stored completions on this route",
    "chat.completions.delete": "no document has stored completions on this route",
    "chat.completions.list": "no document has stored completions on this route",
    "chat.completions.retrieve": "no document has stored completions on this route",
    "chat.completions.update": "no document has stored completions on this route",
    "content_provenance_checks.*": "no document has it",
    "decisions.*": "no document has it",
    "evals.runs.cancel": "the package posts to …/cancel, documents to the run itself",
    "images.create_variation": "no document has it",
    "live.*": "no document has live sessions",
    "moderations.*": "no document has moderations",
    "realtime.connect": "a WebSocket",
    "realtime.translations.*": "no document has translation sessions",
    "responses.compact": "no document has it",
    "responses.connect": "a WebSocket",
    "responses.input_tokens.count": "no document has it",
    "safety.*": "no document has it",
    "skills.*": "no document has skills",
    "uploads.*": "no document has uploads in parts",
    "videos.*": "no version of ours has it; an imported one may",
    "webhooks.*": "no document has webhooks",
}

#: Methods whose first request is documented, but not what they need besides it, by version and with the reason.
MORE_NEEDED = {
    "2023-11-06-beta": {
        "beta.threads.create_and_run_stream": "the document has no streams of runs",
        "beta.threads.runs.create_and_stream": "the document has no streams of runs",
        "beta.threads.runs.stream": "the document has no streams of runs",
        "beta.threads.runs.submit_tool_outputs_stream": "the document has no streams of runs",
        "files.wait_for_processing": "files have no status there",
        "vector_stores.file_batches.upload_and_poll": "the document has no vector stores",
        "vector_stores.files.upload": "the document has no vector stores",
        "vector_stores.files.upload_and_poll": "the document has no vector stores",
    }
}

NEW = ("2025-04-01-preview", "v1")
V1 = ("v1", "v1-preview")

#: Where answers that a document describes so don't fit the package's types: reason, versions by pattern, what is found.
#: The package's types are those of another service; the judge holds the same answers against the version's document.
DIFFERENCES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "the first chunk of a stream tells about content filters and names no object",
        ("2024-*", "2025-*", *V1),
        ("ChatCompletionChunk.object: literal_error",),
    ),
    (
        "so does that of a completion, and chunks before the last have no reason to finish",
        ("2024-*", "2025-*", "v1"),
        ("Completion.object: literal_error", "CompletionChoice.finish_reason: literal_error"),
    ),
    (
        "an answer that asked for no form is parsed as nothing",
        V1,
        ("ParsedChatCompletionMessage.parsed: none_required",),
    ),
    ("files begin as pending", V1, ("FileObject.status: literal_error",)),
    (
        "no document counts what is written into a cache",
        V1,
        ("InputTokensDetails.cache_write_tokens: missing",),
    ),
    (
        "the document has no details of the tokens of the input",
        ("2025-04-01-preview",),
        ("BetaResponseUsage.input_tokens_details: missing", "ResponseUsage.input_tokens_details: missing"),
    ),
    (
        "log probabilities are only in events of later documents",
        ("2025-04-01-preview", "v1-preview"),
        ("ResponseTextDeltaEvent.logprobs: missing", "ResponseTextDoneEvent.logprobs: missing"),
    ),
    (
        "the sessions of these routes have neither id nor secret in the document",
        ("v1",),
        (
            "RealtimeTranscriptionSessionCreateResponse.id: missing",
            "RealtimeTranscriptionSessionCreateResponse.object: missing",
            "SessionCreateResponse.client_secret: missing",
        ),
    ),
    ("where nothing went wrong, the error is null", V1, ("Sample.error: model_type",)),
    (
        "where nothing went wrong, the error is null",
        ("v1",),
        (
            "RunCreateResponse.error: model_type",
            "RunListResponse.error: model_type",
            "RunRetrieveResponse.error: model_type",
        ),
    ),
    (
        "the document leaves the source of the data out of the answer",
        ("v1-preview",),
        ("CreateEvalJSONLRunDataSource.source: missing",),
    ),
    (
        "the field is of a later time",
        ("2023-11-06-beta", "2024-05-01-preview"),
        ("Run.parallel_tool_calls: missing",),
    ),
    (
        "the field is of a later time",
        ("2023-11-06-beta",),
        ("FileObject.status: missing", "Message.status: missing"),
    ),
)


def test_every_method_of_the_package_is_known() -> None:
    """A method that no version documents stands in the list, and nothing else does. Ours and theirs are told apart by
    the first request that each method sends.
    """
    known = frozenset[str]().union(*map(documented, versions(drafts=True)))
    missing = {name for name in routes() if name not in known and not any(fnmatchcase(name, one) for one in ELSEWHERE)}
    assert set() == missing
    assert set() == {one for one in ELSEWHERE if any(fnmatchcase(name, one) for name in known)}
    assert set() == {one for one in ELSEWHERE if not any(fnmatchcase(name, one) for name in routes())}


@pytest.mark.parametrize(
    "version",
    [one if one in NEW else pytest.param(one, marks=pytest.mark.prove) for one in versions(drafts=True)],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_method_is_answered_and_judged(
    recorded: tuple[Connect, Notes, Path],
    version: str,
    subtests: pytest.Subtests,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect, notes, file = recorded
    for story, choices in stories(version):
        with subtests.test(story.__name__, **choices):
            story(connect=connect, **choices)
    assert set(MORE_NEEDED.get(version, ())) == documented(version) - notes.answered
    assert {
        one
        for _, patterns, found in DIFFERENCES
        if any(fnmatchcase(version, pattern) for pattern in patterns)
        for one in found
    } == notes.misfits
    code = main(["judge", str(file), "--api-version", version, "-o", str(file.parent / "out")])
    report = jsonl.read(file.parent / "out" / version)
    wrong = [one for one in report.verdicts if one.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)]
    assert [] == [(one.check, one.scenario, one.findings[:1]) for one in wrong]
    told = capsys.readouterr().out
    assert 0 == code, told
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    base = load(version).base_path
    paths = [(line["method"], httpx.URL(line["url"]).path.removeprefix(base)) for line in lines]
    assert f"{sum(is_documented(version, *one) for one in paths)} exchanges" in told
    lives = any(one.scenario.startswith("recorded.lifecycle.") for one in report.verdicts)
    assert any(one.method == "DELETE" for one in operations_of(load(version)).values()) == lives
