"""One exchange as a recording holds it, before anybody knows which operation it belongs to."""

from __future__ import annotations

from attrs import field, frozen

from conformance.evidence.exchange import Chunk
from conformance.requests.headers import Headers

__all__ = ["Recorded"]


@frozen
class Recorded:
    """One recorded exchange, secrets included: ``cleaning.py`` removes them before anything else looks at it.

    ``place`` says where it stands, such as ``traffic.har: entry 3``. A body is None if the recording leaves it out,
    which is not the same as an empty one. ``form`` holds the fields of a multipart request of which only these are
    known. ``arrivals`` are the pieces of the answer's body with their times in seconds, if the recording has them;
    ``body`` is the whole body. ``status`` is 0 if no answer was recorded.
    """

    place: str
    method: str
    url: str
    request_headers: Headers = ()
    request_body: bytes | None = field(default=b"", repr=False)
    form: tuple[tuple[str, str], ...] = ()
    status: int = 0
    reason: str = ""
    headers: Headers = ()
    body: bytes | None = field(default=b"", repr=False)
    arrivals: tuple[Chunk, ...] = field(default=(), repr=False)
    elapsed: float = 0.0
    started: float = 0.0
