"""An offer of a browser for a call with sound (RFC 8866, RFC 8829): one medium, and a channel for events."""

from __future__ import annotations

__all__ = ["OFFER"]

#: The fingerprint and the password are made up: nobody answers at the other end.
OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:cnfm",
        "a=ice-pwd:conformanceconformance00",
        "a=fingerprint:sha-256 " + ":".join(f"{n:02X}" for n in range(32)),
        "a=setup:actpass",
        "a=mid:0",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:cnfm",
        "a=ice-pwd:conformanceconformance00",
        "a=fingerprint:sha-256 " + ":".join(f"{n:02X}" for n in range(32)),
        "a=setup:actpass",
        "a=mid:1",
        "a=sctp-port:5000",
        "",
    )
)
