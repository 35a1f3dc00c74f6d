"""Which requests are sent again: the whole table, without a socket."""

from __future__ import annotations

import pytest

from conformance.evidence.exchange import Fault, FaultKind, Response
from conformance.requests.case import Case
from conformance.target.retry import Pace, delay
from conformance.target.transport import Answer

PACE = Pace(retries=3, backoff=0.5)
CLOSED = Fault(FaultKind.CLOSED, "closed", 0.1)
SILENT = Fault(FaultKind.READ_TIMEOUT, "silent", 0.1)
REFUSED = Fault(FaultKind.CONNECT, "refused", 0.1)

READ = Case("assistants.list", "GET", "/assistants")
ASK = Case("chat.completions.create", "POST", "/deployments/{deployment-id}/chat/completions")
DELETE = Case("assistants.delete", "DELETE", "/assistants/{assistant_id}")
#: A run can't be deleted, so that nothing marks its creation but its method.
START = Case("threads.runs.create", "POST", "/threads/{thread_id}/runs")
CREATE = Case("assistants.create", "POST", "/assistants", creates={"assistant": "/id"})


def cut(status: int, *headers: tuple[str, str]) -> Answer:
    return Answer(Response(status, headers, complete=False), CLOSED, sent=True, heard=True)


UNHEARD = Answer(None, CLOSED, sent=True, heard=False)


@pytest.mark.parametrize(
    ("wait", "case", "answer", "attempt"),
    [
        (0.5, READ, cut(200), 1),
        (1.0, ASK, cut(200), 2),
        (None, READ, cut(200), 3),
        (None, DELETE, cut(200), 1),
        (None, START, cut(200), 1),
        (None, CREATE, cut(200), 1),
        (0.0, READ, UNHEARD, 1),
        (None, DELETE, UNHEARD, 1),
        (None, DELETE, cut(504), 1),
        (0.5, DELETE, cut(503), 1),
        (None, CREATE, UNHEARD, 1),
        (1.0, CREATE, cut(429, ("Retry-After", "1")), 1),
        (7.0, READ, cut(503, ("Retry-After", "7")), 1),
        (None, CREATE, cut(502), 1),
        (None, READ, Answer(None, SILENT, sent=True, heard=False), 1),
        (0.5, CREATE, Answer(None, REFUSED, sent=False, heard=False), 1),
        (None, CREATE, Answer(None, REFUSED, sent=True, heard=False), 1),
    ],
)
def test_only_what_can_do_no_harm_is_sent_again(wait: float | None, case: Case, answer: Answer, attempt: int) -> None:
    assert wait == delay(case, answer, attempt, PACE)


def test_a_removal_may_be_repeated() -> None:
    """Cleanup wants the object gone; that it is gone already is as good."""
    assert 0.5 == delay(DELETE, cut(504), 1, PACE, again=True)
    assert 0.0 == delay(DELETE, UNHEARD, 1, PACE, again=True)


@pytest.mark.parametrize("answer", [cut(200), UNHEARD, cut(429), cut(503)])
def test_without_retries_nothing_is_sent_again(answer: Answer) -> None:
    assert delay(READ, answer, 1, Pace(retries=0)) is None
