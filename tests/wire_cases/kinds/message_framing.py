"""Answers whose fields contradict each other on where the body ends (RFC 9112 section 6)."""

from __future__ import annotations

from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import FIRST, LAST

ASK = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}


def both(example: Example) -> Played:
    """A stream. The shared example is the message in bytes, of which the field lines count."""
    given = example
    if "bytes" in example:
        head = str(example["bytes"]).split("\r\n\r\n", 1)[0].split("\r\n")[1:]
        given = {"headers": [line.split(": ", 1) for line in head], "body": lines(FIRST, LAST)}
    return played(exchanged("chat.completions.create", ASK, answer(given)))


EVENTS = ["Content-Type", "text/event-stream"]
CASES = (
    WireCase(
        "length-and-chunked",
        "fail",
        both,
        {
            "headers": [EVENTS, ["Content-Length", "512"], ["Transfer-Encoding", "chunked"]],
            "body": lines(FIRST, LAST),
        },
        told={"http.framing.one-length": "Content-Length"},
        near=[{"headers": [EVENTS, ["Transfer-Encoding", "chunked"]], "body": lines(FIRST, LAST)}],
    ),
)
