"""A check of answers that show a secret of the request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.requests.headers import REDACTED, is_secret
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _echo(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the key comes back in a header."""
    response = exchange.response
    return None if response is None else exchange.answered(response.with_header("x-echo", REDACTED))


@check(
    "http.secret-echoed",
    Level.SHOULD,
    clause="http-secret-not-echoed",
    counterexample=_echo,
    needs=Needs.ANSWER,
    provenance="standard",
)
def secret_echoed(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No answer shows the key, a token or another secret of the request, in a header or in its body.

    Answers are logged and shown where requests are not (RFC 9110 section 17.16.3). Secrets are removed from evidence
    before anything is judged, so the mark that stands in their place is looked for.
    """
    response, request = seen.response, seen.exchange.request
    for name, value in response.headers:
        # A secret may stand among other words, as in ``you sent Bearer …``.
        if REDACTED in value and not is_secret(name):
            yield seen.finding(
                "a header of the answer shows a secret of the request",
                place=f"header:{name.lower()}",
                expected="no credential",
                actual=value[:160],
            )
    mark = REDACTED.encode()
    if mark in response.content and mark not in request.body and REDACTED not in request.url:
        yield seen.finding(
            "the body of the answer shows a secret of the request",
            place=f"byte:{response.content.find(mark)}",
            expected="no credential",
            actual=REDACTED,
        )
