"""The header section of an answer, as the server writes it behind the fields that it adds to every answer."""

from __future__ import annotations

from conformance import __version__
from conformance.evidence.exchange import Response
from conformance.requests.headers import EMULATOR_HEADER

__all__ = ["answer_fields"]

#: Headers of the connection (RFC 9110 section 7.6.1): the server sets them itself.
_HOP = frozenset({b"content-length", b"transfer-encoding", b"connection"})

_EMULATOR = (EMULATOR_HEADER.encode(), __version__.encode())


def answer_fields(response: Response, *, dropped: bool = False, closes: bool = True) -> list[tuple[bytes, bytes]]:
    """Names in lower case and values. A body that isn't a stream gets a Content-Length.

    ``dropped``: the connection will be closed in the middle of the answer. ``closes``: whoever writes the answer can
    close it, so that bytes beyond the announced content can follow.
    """
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1", "replace")) for k, v in response.headers]
    names = {name for name, _ in headers}
    sized = b"content-length" in names
    # A counterexample may say both, or announce content of a 204; otherwise the server decides about framing.
    surplus = sized and response.status == 204 and bool(response.chunks)
    framed = surplus or (sized and b"transfer-encoding" in names)
    if not framed and names & _HOP:
        headers = [field for field in headers if field[0] not in _HOP]
    length = sum([len(chunk.data) for chunk in response.chunks])
    if framed:
        announced = sized
    else:
        announced = (sized or not length) and response.status >= 200 and response.status not in (204, 304)
        if announced:
            # One byte more than is sent: the client must see that a dropped answer is incomplete.
            headers.append((b"content-length", str(length + (1 if dropped else 0)).encode()))
    if surplus or (closes and announced and response.surplus):
        headers.append((b"connection", b"close"))  # the bytes must not be read as the next answer
    # Added here, behind every injected bug: whatever is wrong with an answer, it says that an emulator sent it.
    headers.append(_EMULATOR)
    return headers
