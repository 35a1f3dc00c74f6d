"""A request as one line for a shell: curl sends the bytes that the run sent.

Method, path, header fields (their order too) and content are those of the recorded request; host and credentials come
from the environment. A header whose value is hidden in the report takes it from a variable of its own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from conformance.evidence.timeline import escaped, visible
from conformance.evidence.trace import Observation
from conformance.redaction import HIDDEN, REDACTED
from conformance.requests.case import Auth
from conformance.requests.request import Request
from conformance.target.credential import WRONG_KEY

__all__ = ["KEY", "LONGEST_CURL", "TARGET", "content_of", "curl"]

#: A longer content is no part of the line: a command prints it from the report, and curl reads it.
LONGEST_CURL = 2_000

#: The environment variables with the target's scheme and authority, and with its key or token.
TARGET, KEY = "AOAI_TARGET", "AZURE_OPENAI_API_KEY"

#: The header that carries the key, and what stands before the key in it.
_CREDENTIALS = {
    "api-key": ("api-key", ""),
    "bearer": ("authorization", "Bearer "),
    "entra": ("authorization", "Bearer "),
}

#: What curl sends without being asked. ``-H 'name:'`` prevents it. For a long content some versions of curl wait for
#: ``100 Continue``.
_UNASKED = ("accept", "user-agent")

#: Methods with which the run announces the length of a content even if it is empty.
_WITH_CONTENT = ("POST", "PUT", "PATCH")

#: A run of characters that ``printf`` and every report show as they are, or one of the others.
_AS_IT_IS = re.compile(r"[ -$&-\[\]-~]{2,}|.", re.DOTALL)

#: Texts that the line can carry in a URL: visible ASCII (RFC 3986 has no other characters).
_URL = re.compile(r"[!-~]*")


def content_of(case_id: str, trace: str, run_dir: str) -> str:
    """The command that prints the recorded content of a request, byte for byte."""
    return f"aoai-conformance replay {case_id} --run {shlex.quote(run_dir)} --scenario {shlex.quote(trace)} --content"


def curl(seen: Observation, *, auth: str = "api-key", content: str = "") -> str | None:
    """A command for a POSIX shell that sends the same request.

    It reads ``$AOAI_TARGET`` (scheme and authority) and ``$AZURE_OPENAI_API_KEY``. ``auth`` is that of the target,
    ``content`` the command that prints a content which is too long for the line (:func:`content_of`).
    None if no line can send the same: the content is long and no command prints it, a secret in it was hidden, or the
    request names objects that existed only during the run.
    """
    request = seen.exchange.request
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    long = len(request.body) > LONGEST_CURL
    if (long and not content) or seen.case.bindings or not _URL.fullmatch(target):
        return None
    if _hides(target.encode()) or _hides(request.body) or (request.method == "HEAD" and request.body):
        return None
    # With -X HEAD instead of --head, curl would wait for a content that never comes.
    method = "--head" if request.method == "HEAD" else f"-X {shlex.quote(request.method)}"
    # Braces and brackets of a URL are patterns for curl, and it resolves dot segments, unless it is told otherwise.
    plain = [
        word
        for word, needed in (("--globoff", re.search(r"[\[\]{}]", target)), ("--path-as-is", "/." in target))
        if needed
    ]
    words = ["curl -sS -i --http1.1", *plain, method, f'"${TARGET}"{shlex.quote(target)}']
    words += [f"-H {word}" for word in _headers(request, seen.case.auth, auth)]
    if not request.body and request.method not in _WITH_CONTENT:
        return " ".join(words)
    if long:
        return f"{content} | " + " ".join([*words, "--data-binary @-"])
    text = _shown(request.body)
    if text is not None:
        return " ".join([*words, "--data-raw", shlex.quote(text)])  # raw: a leading @ names no file
    return f"printf {_printf(request.body)} | " + " ".join([*words, "--data-binary @-"])


def _hides(data: bytes) -> bool:
    """True if something was taken out of these bytes before they were kept."""
    return any(mark.encode() in data for mark in (REDACTED, HIDDEN)) or b"sig=redacted" in data


def _headers(request: Request, credential: Auth, auth: str) -> Iterator[str]:
    """Yield the header fields of a request in their order, each as a word of the shell."""
    carrier, before = _CREDENTIALS.get(auth, ("", ""))
    for name, value in request.headers:
        if name.lower() == carrier and REDACTED in value:
            key = WRONG_KEY if credential is Auth.WRONG else f"${KEY}"
            yield f'"{name}: {before}{key}"'
        elif REDACTED in value or HIDDEN in value:
            variable = "AOAI_HEADER_" + re.sub(r"\W", "_", name.upper(), flags=re.ASCII)
            yield f'"{name}: ${variable}"'
        else:
            # curl takes ``name:`` for a header to leave out, and ``name;`` for an empty one.
            yield shlex.quote(f"{name}: {value}" if value.strip() else f"{name};")
    named = {name.lower() for name, _ in request.headers}
    unasked = [name for name in _UNASKED if name not in named]
    if request.body or request.method in _WITH_CONTENT:
        unasked += [name for name in ("content-type",) if name not in named]  # curl would call it a form
        unasked += ["expect"] if len(request.body) > 1_024 and "expect" not in named else []
    yield from (f"'{name}:'" for name in unasked)


def _shown(body: bytes) -> str | None:
    """The text of a body that every report shows as it is; None for other bytes."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if escaped(visible(text)) == text else None


def _printf(body: bytes) -> str:
    """A body as the format of ``printf`` (POSIX.1-2017, utilities, printf): octal escapes for what no report shows."""
    words: list[str] = []
    text = body.decode("utf-8", "surrogateescape")
    if text.startswith("-"):
        words, text = ["\\055"], text[1:]  # it would begin an option
    for piece in _AS_IT_IS.findall(text):
        if len(piece) > 1:
            words.append(piece)
        elif piece in "\\%":
            words.append(piece * 2)
        elif piece in "\n\r\t":
            words.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[piece])
        elif escaped(visible(piece)) != piece:
            words += [f"\\{byte:03o}" for byte in piece.encode("utf-8", "surrogateescape")]
        else:
            words.append(piece)
    return shlex.quote("".join(words))
