"""The part of a report's footer that is computed from verdicts and evidence, so that ``verify`` can compute it
again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.evidence.outline import Outline, once
from conformance.judging.drift_list import drift_list
from conformance.requests.case import RECORDED
from conformance.verdict import Conclusion, Verdict, conclude

__all__ = ["computed", "exit_code_of", "without_success"]


def without_success(traces: Sequence[Outline]) -> bool:
    """True for recorded traffic in which nothing succeeded. A run has its preflight for that."""
    return all(trace.scenario.startswith(RECORDED) and not step.ok for trace in traces for step in trace)


def computed(
    verdicts: Sequence[Verdict], traces: Sequence[Outline], *, ended: str, outdated: Sequence[str] = ()
) -> dict[str, Any]:
    """The conclusion, exit code, counts by outcome, number of requests and operations that were sent, and
    the values that the document lacks, if there are any.

    ``ended`` says why not everything was judged: ``interrupted`` by a signal, ``early`` by pytest, or "". ``outdated``
    names waivers and entries of a baseline that should be removed. They say nothing about the target, but the exit code
    is 1.

    Recorded traffic without a successful answer is at most ``partial``: a target that refuses everything keeps the
    rules about refusals by itself.
    """
    traces = once(traces)
    sent = sum(len(trace.steps) for trace in traces)
    conclusion = conclude(verdicts, executed=sent)
    if conclusion is Conclusion.CONFORMANT and without_success(traces):
        conclusion = Conclusion.PARTIAL
    if ended and conclusion is Conclusion.CONFORMANT:
        conclusion = Conclusion.INCONCLUSIVE
    drift = drift_list(verdicts, traces)
    code = 1 if outdated and conclusion.exit_code in (0, 3) else conclusion.exit_code
    return {
        "conclusion": conclusion.value,
        "exit_code": 130 if ended == "interrupted" else code,
        "outcomes": dict(Counter(verdict.outcome.value for verdict in verdicts)),
        "requests": sent,
        "operations": sorted({step.operation for trace in traces for step in trace}),
        **({"drift": drift} if drift else {}),
    }


def exit_code_of(footers: Iterable[Mapping[str, Any] | None]) -> int:
    """The exit code of several reports: our own error before a failure of the target, that before what could not be
    judged. 3 if none has a footer.
    """
    codes = [footer["exit_code"] for footer in footers if footer is not None]
    return next((code for code in (70, 1, 3) if code in codes), 0 if codes else 3)
