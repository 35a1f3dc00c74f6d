"""The tape of a recording upstream: a row for each request when it begins, completed when its answer has ended.

Thread-safe: the server writes from its event loop, whoever waits reads from another thread.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from attrs import evolve, frozen

from conformance.emulator.faults import NO_FAULT, UpstreamFault
from conformance.evidence.body import content_without
from conformance.evidence.exchange import Response
from conformance.evidence.upstream import UpstreamCall
from conformance.redaction import REDACTED, Secrets
from conformance.requests.headers import is_secret
from conformance.requests.request import Request

__all__ = ["Armed", "Tape", "told"]


@frozen
class Armed:
    """A fault that requests meet whose target or body contains a text ("" is in every one), and how many met it, the
    first one at ``since``.
    """

    fault: UpstreamFault
    contains: str = ""
    met: int = 0
    since: float = 0.0

    @property
    def left(self) -> int | None:
        """How many requests can still meet it; None for any number."""
        return None if self.fault.times is None else max(0, self.fault.times - self.met)


class Tape:
    """What arrived, in order. With a ``file`` each row is appended to it as JSON lines, when it begins and when it
    ends.

    ``secrets_`` are values that are replaced wherever they stand in a request or in the content of an answer; the
    digests of those in header fields of requests are kept.
    Raises :class:`OSError` if the file can't be opened.
    """

    def __init__(self, file: Path | None = None, secrets_: Iterable[str] = ()) -> None:
        self._rows: list[UpstreamCall] = []
        self._changed = threading.Condition()
        self._stream: IO[str] | None = file.open("a", encoding="utf-8") if file is not None else None
        # A new one each time: nobody can compute the digest of a short key and compare.
        self._salt = secrets.token_bytes(16)
        # What is secret by its form is hidden too. So is it in the evidence of a client: both sides can be compared.
        self._secrets = Secrets()
        self._secrets.add(*secrets_)
        self._armed: list[Armed] = []

    def close(self) -> None:
        """Close the file."""
        with self._changed:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    # -- for whoever asks ------------------------------------------------------------------------------------------

    @property
    def mark(self) -> int:
        """The number of rows so far: a place on the tape."""
        with self._changed:
            return len(self._rows)

    def since(self, mark: int) -> tuple[UpstreamCall, ...]:
        """The rows after a mark."""
        with self._changed:
            return tuple(self._rows[mark:])

    def wait(self, mark: int, enough: Callable[[tuple[UpstreamCall, ...]], bool], seconds: float) -> bool:
        """Wait until the rows after a mark are enough, at most so many seconds. True if they are."""
        with self._changed:
            return self._changed.wait_for(lambda: enough(tuple(self._rows[mark:])), seconds)

    def settled(self, mark: int, seconds: float) -> bool:
        """Wait until the answer of every row after a mark has ended. True if they all have."""
        return self.wait(mark, lambda rows: all(row.over for row in rows), seconds)

    def arrived(self, mark: int, number: int, seconds: float) -> bool:
        """Wait until so many requests have arrived after a mark. True if they have."""
        return self.wait(mark, lambda rows: len(rows) >= number, seconds)

    def digest(self, secret: str) -> str:
        """The digest under which a secret stands in ``credentials`` of a row."""
        return hmac.new(self._salt, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]

    def expect(self, fault: UpstreamFault) -> None:
        """Meet all requests that arrive from now on with one fault (``NO_FAULT`` for none)."""
        with self._changed:
            self._armed = [] if fault == NO_FAULT else [Armed(fault)]

    def arm(self, fault: UpstreamFault, contains: str = "") -> None:
        """Meet the requests with a fault whose target or body contains a text, besides what was armed before."""
        with self._changed:
            self._armed.append(Armed(fault, contains))

    @property
    def armed(self) -> tuple[Armed, ...]:
        """The faults that requests meet now, the first one that speaks of a request before the others."""
        with self._changed:
            return tuple(self._armed)

    # -- for the server --------------------------------------------------------------------------------------------

    def begin(self, connection: int, request: Request, head: bytes) -> int:
        """Note that a request begins. Returns its index on the tape."""
        with self._changed:
            cleaned, credentials = self._without_secrets(request)
            row = UpstreamCall(
                number=len(self._rows) + 1,
                connection=connection,
                at=time.monotonic(),
                request=cleaned,
                head=self._hidden(head, request),
                credentials=credentials,
            )
            self._rows.append(row)
            self._write("request", row)
            self._changed.notify_all()
            return row.number - 1

    def meet(self, index: int, body: bytes) -> UpstreamFault:
        """The fault that a request meets, of which so much of the body is known. It counts as met."""
        with self._changed:
            text = self._rows[index].request.url.encode("utf-8", "replace") + b"\n" + body
            for place, one in enumerate(self._armed):
                if one.left != 0 and one.contains.encode() in text:
                    self._armed[place] = evolve(one, met=one.met + 1, since=one.since or time.monotonic())
                    self._rows[index] = evolve(self._rows[index], injected=one.fault.name)
                    return one.fault
            return NO_FAULT

    def gathered(self, fault: UpstreamFault) -> bool:
        """True if as many requests have met a fault as it gathers, or its patience is over."""
        with self._changed:
            # The same object, not an equal one: each arming gathers requests of its own.
            known = next((one for one in self._armed if one.fault is fault), None)
            return known is None or known.met >= fault.gather or time.monotonic() >= known.since + fault.patience

    def body(self, index: int, body: bytes) -> None:
        """Note the body of a request, once it has arrived."""
        kept = self._secrets.data(body)
        self._change(index, lambda row: evolve(row, request=evolve(row.request, body=kept)))

    def end(self, index: int, answer: Response | None, *, whole: bool, gone: float | None) -> None:
        """Note the answer of a request, and that nothing more will be sent."""
        now = time.monotonic()
        if answer is not None:
            answer = evolve(answer, chunks=content_without(self._secrets, answer) or ())
        left = None if whole else (gone if gone is not None else now)
        self._change(index, lambda row: evolve(row, answer=answer, ended=now if whole else None, gone=left))
        with self._changed:
            self._write("answer", self._rows[index])

    def _change(self, index: int, change: Callable[[UpstreamCall], UpstreamCall]) -> None:
        with self._changed:
            self._rows[index] = change(self._rows[index])
            self._changed.notify_all()

    def _without_secrets(self, request: Request) -> tuple[Request, dict[str, str]]:
        """The request without secrets, and the digests of those by name of the header."""
        headers, found = [], {}
        for name, value in request.headers:
            if is_secret(name) or any(secret in value for secret in self._secrets.values):
                scheme, _, token = value.partition(" ")
                found[name.lower()] = self.digest(token if scheme.lower() == "bearer" else value)
                headers.append((name, REDACTED))
            else:
                headers.append((name, value))
        return evolve(request, url=self._secrets.text(request.url), headers=tuple(headers)), found

    def _hidden(self, head: bytes, request: Request) -> bytes:
        """A header section, its request line included, without secrets and without the values of secret headers."""
        for name, value in request.headers:
            if value and (is_secret(name) or any(secret in value for secret in self._secrets.values)):
                head = head.replace(value.encode("latin-1", "replace"), REDACTED.encode())
        return self._secrets.data(head)

    def _write(self, kind: str, row: UpstreamCall) -> None:
        """Append one line. A full disk must not end the server: the row is still in memory."""
        if self._stream is None:
            return
        line = _request_line(row) if kind == "request" else _answer_line(row)
        try:
            self._stream.write(json.dumps({"event": kind, "number": row.number, **line}, separators=(",", ":")) + "\n")
            self._stream.flush()
        except OSError:
            self._stream = None


def told(row: UpstreamCall) -> dict[str, Any]:
    """One row as JSON: what the two lines of a file say of it."""
    return {"number": row.number, **_request_line(row), **_answer_line(row)}


def _request_line(row: UpstreamCall) -> dict[str, Any]:
    """What is known when a request begins."""
    return {
        "at": round(row.at, 6),
        "connection": row.connection,
        "method": row.request.method,
        "url": row.request.url,
        "headers": [list(pair) for pair in row.request.headers],
        "head": base64.b64encode(row.head).decode("ascii"),
        "credentials": dict(row.credentials),
    }


def _answer_line(row: UpstreamCall) -> dict[str, Any]:
    """What is known when an answer has ended: the body of the request too, which arrived after its beginning."""
    answer = row.answer
    return {
        "body": base64.b64encode(row.request.body).decode("ascii"),
        "answer": answer
        and {
            "status": answer.status,
            "headers": [list(pair) for pair in answer.headers],
            "body": base64.b64encode(answer.body).decode("ascii"),
            "chunks": [[round(chunk.at, 6), len(chunk.data)] for chunk in answer.chunks],
        },
        "ended": row.ended,
        "gone": row.gone,
        "injected": row.injected,
    }
