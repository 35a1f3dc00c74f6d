"""The check that speech has the requested format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import path_of
from conformance.requests.case import Case
from conformance.requests.selectors import streams, value_at
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: The first bytes of files in each format (ID3v2 and MPEG audio, RIFF, RFC 9639, RFC 3533, ISO/IEC 13818-7).
BEGINS = {
    "mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa", b"\xff\xe3"),
    "wav": (b"RIFF",),
    "flac": (b"fLaC",),
    "opus": (b"OggS",),
    "aac": (b"\xff\xf1", b"\xff\xf9"),
}


def _format(case: Case) -> str:
    """The requested format; mp3 is the default."""
    asked = value_at(case, "/response_format")
    return asked if isinstance(asked, str) else "mp3"


def _known(spec: Spec, case: Case) -> bool:
    """The format is one whose first bytes are known."""
    return _format(case) in BEGINS and not streams(spec, case)


def _other_format(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the content begins like an MP4 file."""
    response = exchange.response
    if response is None or not exchange.ok or not path_of(exchange.request).endswith("/audio/speech"):
        return None
    if response.media_type == "text/event-stream" or not response.body:
        return None
    return exchange.answered(response.with_body(b"\x00\x00\x00\x18ftyp" + response.body))


@check(
    "audio.speech.format",
    Level.SHOULD,
    clause="audio-speech-format",
    counterexample=_other_format,
    operations=("audio.speech.create",),
    about=_known,
    needs=Needs.SUCCESS,
)
def speech_format(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Speech has the requested format, by default mp3. Players choose the decoder by it."""
    body, wanted = seen.response.body, _format(seen.case)
    if body and not body.startswith(BEGINS[wanted]):
        yield seen.finding(f"the content isn't {wanted}", place="byte:0", expected=BEGINS[wanted][0], actual=body[:8])
