"""A target that refuses nothing, whatever is wrong with a request."""

from __future__ import annotations

from attrs import evolve
from wild_answers import DATED
from wire_stage import Example, Played, WireCase, answer, exchanged, played

from conformance.evidence.trace import Observation
from conformance.requests.case import Break, Expect

from .content_coding import VECTOR


def unchecked(example: Example) -> Played:
    """As many violated bounds as the example says, answered with its statuses, the last of them for the rest.

    With ``constraints`` there are only so many different ones, so that several requests violate the same.
    """
    seen = []
    for number in range(example["violations"]):
        status = example["statuses"][min(number, len(example["statuses"]) - 1)]
        body = VECTOR if status == 200 else {"error": {"code": "BadRequest", "message": "No."}}
        one = exchanged("embeddings.create", {"input": "a", "user": number}, answer({"status": status, "body": body}))
        broken = Break(pointer=f"/field{number % example.get('constraints', 100)}", keyword="maximum")
        seen.append(Observation(evolve(one.case, expect=Expect.REJECT, breaks=broken), one.exchange))
    valid = exchanged("embeddings.create", {"input": "a"}, answer({"body": VECTOR}))
    return played(valid, *seen, version=DATED, scenario="corpus.embeddings.create")


CASES = (
    WireCase(
        "nothing-is-validated",
        "fail",
        unchecked,
        {"violations": 10, "statuses": [200]},
        told={"errors.some-rejected": "none was refused"},
        near=[
            {"violations": 9, "statuses": [200]},
            {"violations": 12, "statuses": [400, 200]},
            # The second request that violates the last constraint is refused.
            {"violations": 20, "constraints": 10, "statuses": [200] * 19 + [400]},
            {"violations": 20, "constraints": 9, "statuses": [200]},
        ],
    ),
)
