"""Checks of what a request for fine-tuning says: files that can't be used, the suffix, the seed, a job that ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import objects_in, on_objects
from conformance.checks.objects.lifecycle import one, sent_in
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, Question, check, trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.scenarios.fine_tuning import ENDS
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

BAD_FILES = ("fine_tuning.bad-files",)
JOBS = ("fine_tuning.jobs.*",)


def _decided(key: str) -> Question:
    """A prerequisite: the job was refused, or it came to its end."""

    def question(trace: Trace) -> str:
        made, looks = trace.role(f"{key}.create"), trace.role(f"{key}.get")
        if any(seen.exchange.status is not None and 400 <= seen.exchange.status < 500 for seen in made):
            return ""
        states = [seen.json.get("status") for seen in looks if isinstance(seen.json, dict)]
        if states and states[-1] in ENDS:
            return ""
        return f"the job did not end; its last state was {states[-1]!r}" if states else "the job was not created"

    return question


def _trained(item: dict[str, Any]) -> Any:
    """Counterexample: a job that failed has succeeded."""
    if item.get("object") != "fine_tuning.job" or item.get("status") != "failed":
        return None
    return {**item, "status": "succeeded", "fine_tuned_model": "a-model", "error": None}


def _succeeded(trace: Trace, key: str, what: str) -> Iterator[Finding]:
    """Yield a finding if the job over an unusable file succeeded."""
    for seen in trace.role(f"{key}.get"):
        if seen.exchange.ok and isinstance(seen.json, dict) and seen.json.get("status") == "succeeded":
            yield seen.finding(f"a job succeeded over {what}", place="/status", expected="failed", actual="succeeded")
            return


@trace_check(
    "tuning.file.purpose",
    Level.MUST,
    clause="fine-tuning-training-file-purpose",
    counterexample=on_objects("fine_tuning.job", _trained, method="GET"),
    scenarios=BAD_FILES,
    needs=(_decided("purpose"),),
    operations=JOBS,
)
def file_purpose(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job over a file for assistants, which holds no JSON lines, is refused or fails.

    There is nothing in it to train on: a model that comes out of it was trained on something else.
    """
    yield from _succeeded(trace, "purpose", "a file that holds no JSON lines and was not uploaded for fine-tuning")


@trace_check(
    "tuning.file.unknown",
    Level.SHOULD,
    clause="fine-tuning-unknown-file",
    counterexample=on_objects("fine_tuning.job", _trained, method="GET"),
    scenarios=BAD_FILES,
    needs=(_decided("unknown"),),
    operations=JOBS,
    entails=("tuning.file.purpose",),
)
def file_unknown(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job over a file that nobody uploaded is refused, or it fails."""
    yield from _succeeded(trace, "unknown", "a file that nobody uploaded")


@check(
    "tuning.failed.error",
    Level.SHOULD,
    clause="fine-tuning-error-when-failed",
    counterexample=on_objects(
        "fine_tuning.job", lambda item: {**item, "error": None} if item.get("status") == "failed" else None
    ),
    operations=JOBS,
    needs=Needs.SUCCESS,
)
def failed_error(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The ``error`` of a failed job says why it failed. Its owner has nothing else to go by."""
    for item in objects_in(seen):
        if item.get("object") == "fine_tuning.job" and item.get("status") == "failed":
            told = look_up(item, "/error/message")
            if not (isinstance(told, str) and told.strip()):
                yield seen.finding(
                    "a failed job doesn't say why", place="/error", expected="a message", actual=item.get("error")
                )


def _without_seed(spec: Spec, case: Case) -> bool:
    """The request leaves the seed to the service."""
    body = body_of(case)
    return isinstance(body, dict) and "seed" not in body


def _seedless(value: Any, request: Request) -> Any:
    """Counterexample: a job shows no seed."""
    sent = request.json
    if request.method != "POST" or not isinstance(sent, dict) or "seed" in sent or "training_file" not in sent:
        return None
    return {**value, "seed": None} if is_integer(value.get("seed")) else None


@check(
    "tuning.seed",
    Level.SHOULD,
    clause="fine-tuning-seed",
    counterexample=on_json(_seedless),
    operations=("fine_tuning.jobs.create",),
    about=_without_seed,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def seed(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A job without a seed in its request shows the one that was chosen. Without it nobody can repeat the job."""
    shown = seen.json.get("seed") if isinstance(seen.json, dict) else None
    if not is_integer(shown):
        yield seen.finding("no seed was chosen", place="/seed", expected="an integer", actual=shown)


def _other_suffix(item: dict[str, Any]) -> Any:
    """Counterexample: the job has another suffix."""
    return {**item, "user_provided_suffix": "another"} if item.get("user_provided_suffix") else None


@trace_check(
    "tuning.suffix",
    Level.SHOULD,
    clause="fine-tuning-suffix",
    counterexample=on_objects("fine_tuning.job", _other_suffix),
    scenarios=("fine_tuning.job",),
    needs=("job.create",),
)
def suffix(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The suffix of the request comes back in the job and is a part of the name of the tuned model."""
    made = one(trace, "job.create")
    wanted = sent_in(made).get("suffix") if made is not None else None
    for seen in filter(None, (made, one(trace, "job.get"))):
        shown, model = seen.json.get("user_provided_suffix"), seen.json.get("fine_tuned_model")
        if wanted and "user_provided_suffix" in seen.json and shown != wanted:
            yield seen.finding("another suffix", place="/user_provided_suffix", expected=wanted, actual=shown)
        if wanted and isinstance(model, str) and model and wanted not in model:
            yield seen.finding("the suffix is not in the name of the model", place="/fine_tuned_model",
                               expected=f"… {wanted} …", actual=model)  # fmt: skip


def _paused_anyway(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the refusal to pause a job becomes the job as it was read before."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or not 400 <= response.status < 500 or not path.endswith("/pause"):
        return None
    for past in reversed(earlier):
        if past.ok and past.response is not None and path_of(past.request) == path.removesuffix("/pause"):
            return exchange.answered(past.response)
    return None


@trace_check(
    "tuning.pause.ended",
    Level.SHOULD,
    clause="fine-tuning-pause-resume",
    counterexample=_paused_anyway,
    scenarios=("fine_tuning.stopped",),
    needs=("cancelled",),
)
def pause_ended(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job that has ended can't be paused: the request is refused."""
    last = one(trace, "cancelled")
    if last is None or last.json.get("status") not in ENDS:
        return
    for seen in trace.role("pause-ended"):
        if seen.exchange.ok:
            yield seen.finding("a job that has ended was paused", place="status", expected="4xx",
                               actual=seen.exchange.status)  # fmt: skip
