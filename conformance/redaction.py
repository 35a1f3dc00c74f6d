"""Secrets, and how they are taken out of everything that is stored or printed.

A secret is replaced wherever it stands: plain, escaped for JSON, a URL or HTML, character by character or in part, and
in base64. Signatures of SAS URLs and user names and passwords in URLs are replaced without being known.

A secret of fewer than :data:`SHORTEST` characters can't be told apart from ordinary text: an emulator's key ``k`` is in
every second word. It is replaced only where a secret would stand: as a whole value in quotes, after ``=`` or
``Bearer``, and in headers as a word of its own. A secret that is a word of the API (``user``) is replaced in headers
alone. Otherwise a report would be useless, or accuse the target of what was replaced.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from urllib.parse import quote

__all__ = ["PROCESS", "REDACTED", "SHORTEST", "Secrets", "parts_of"]

#: The text that replaces a secret.
REDACTED = "[redacted]"

#: Secrets with fewer characters are replaced only where they stand as a whole value.
SHORTEST = 8

#: Up to this length every mixture of escapes is recognised; longer ones, such as tokens, in one kind of escape.
_LONGEST_MIXED = 512

#: Cookies of answers that are remembered at most: a target may send new ones without end.
MOST_COOKIES = 100

#: The signature of a SAS URL. It is replaced by a word that may stand in a URL, so that the URL remains one.
_SIGNATURE = re.compile(r"((?:[?&;]|\\u0026|%26)sig(?:=|%3D|\\u003d))[^&\"'\s<>\\;]+", re.IGNORECASE)

#: User and password in a URL (RFC 3986 section 3.2.1).
_USERINFO = re.compile(r"(https?:(?:\\?/){2})[^/\s@\"'<>\\?#]+@", re.IGNORECASE)

#: Values of headers that are no secrets, whoever set them: without them a report couldn't be read.
_ORDINARY = re.compile(
    r"(?:application|text|audio|image|video|multipart|\*)/[a-z0-9.+*-]+(?:\s*;.*)?|true|false|yes|no|on|off|identity|gzip"
    r"|close|keep-alive|no-cache|no-store|\d{4}-\d{2}-\d{2}(?:-[a-z]+)?|(?:assistants|responses)=v\d",
    re.IGNORECASE,
)

#: What stands between the words of a header.
_SEPARATORS = re.compile(r"[\s,;=\"']+")

#: Headers that are about the message and not about its sender: a short secret is not looked for in them.
_FRAMING = frozenset(
    (
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "date",
        "retry-after",
        "retry-after-ms",
        "age",
    )
)


def parts_of(value: str) -> tuple[str, ...]:
    """What is secret in the value of a header: the whole, its token (``Bearer …``), a password, the cookies."""
    found = [value]
    scheme, _, token = value.strip().partition(" ")
    if token and scheme.isalpha():
        found.append(token.strip())
    if scheme.lower() == "basic":
        try:
            login = base64.b64decode(token.strip(), validate=True).decode("utf-8")
            found += [login, login.partition(":")[2]]
        except (binascii.Error, UnicodeDecodeError):
            pass
    if "=" in value:
        found += [piece.partition("=")[2].strip().strip('"') for piece in value.split(";")]
    return tuple(dict.fromkeys(part for part in found if part and not _ORDINARY.fullmatch(part)))


@cache
def _unit(char: str) -> str:
    """A pattern for one character in any escape."""
    forms = [re.escape(char)]
    raw = char.encode("utf-8", "surrogatepass")
    if len(raw) > 1:
        forms.append(re.escape(raw.decode("latin-1")))
    forms.append(f"(?i:{''.join(f'%{byte:02x}' for byte in raw)})")
    wide = char.encode("utf-16-be", "surrogatepass").hex()
    forms.append("(?i:" + "".join(rf"\\+u{wide[n : n + 4]}" for n in range(0, len(wide), 4)) + ")")
    forms.append(f"(?i:&#(?:0*{ord(char)}|x0*{ord(char):x});)")
    if char in "\"\\/'":
        forms.append(r"\\+" + re.escape(char))
    named = html.escape(char)
    if named != char:
        forms.append(re.escape(named))
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _encoded(secret: str) -> Iterator[str]:
    """What base64 makes of a secret, wherever it begins in what is encoded.

    The characters at the edges, which depend on its neighbours, are left out.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # A character of base64 is 6 bits; those that hold bits of what stands before or behind are no sign.
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        core = text[first:last]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


class Secrets:
    """The secrets of one target, or of this process. Thread-safe; more may be added at any time.

    ``words`` are those of the API: a secret that is one of them is looked for in headers only.
    """

    def __init__(self, words: Collection[str] = ()) -> None:
        self._words = words
        self._lock = threading.Lock()
        self.values: tuple[str, ...] = ()
        self._plain: tuple[str, ...] = ()
        self._long: re.Pattern[str] | None = None
        self._mixed: re.Pattern[str] | None = None
        self._short: re.Pattern[str] | None = None
        self._alone: frozenset[str] = frozenset()
        self._signs: tuple[str, ...] = ()
        self._cookies = 0

    def add(self, *secrets: str) -> None:
        """From now on replace these too. Empty ones are ignored."""
        new = [secret for secret in dict.fromkeys(secrets) if secret and secret not in self.values]
        if not new:
            return
        with self._lock:
            # The longest comes first, so that no part of it stays where it holds another one.
            self.values = tuple(sorted({*self.values, *new}, key=len, reverse=True))
            spoken = [value for value in self.values if value not in self._words]
            long = [value for value in spoken if len(value) >= SHORTEST]
            short = [value for value in spoken if len(value) < SHORTEST]
            plain = {form for value in long for form in _literal(value)}
            self._plain = tuple(sorted(plain, key=len, reverse=True))
            self._long = re.compile("|".join(map(re.escape, self._plain))) if plain else None
            #: Those that are looked for in headers as words of their own.
            self._alone = frozenset(value for value in self.values if len(value) < SHORTEST or value in self._words)
            mixed = ["".join(map(_unit, value)) for value in long if len(value) <= _LONGEST_MIXED]
            self._signs = tuple(_signs("".join(long)))
            self._mixed = re.compile("|".join(mixed)) if mixed else None
            either = "|".join("".join(map(_unit, value)) for value in short)
            self._short = (
                re.compile(rf"(?:(?<=[\"'=])|(?<=earer ))(?:{either})(?=[\"'](?!\s*:)|[&\r\n;]|$)") if short else None
            )
        if self is not PROCESS:
            PROCESS.add(*new)

    def cookies(self, values: Sequence[str]) -> None:
        """Remember the cookies that an answer sets, up to a limit."""
        for value in values:
            cookie = value.partition(";")[0].partition("=")[2].strip().strip('"')
            if len(cookie) >= SHORTEST and self._cookies < MOST_COOKIES and not _ORDINARY.fullmatch(cookie):
                self._cookies += 1
                self.add(cookie)

    def _spans(self, text: str, *, short: bool = True) -> list[tuple[int, int]]:
        """Where secrets stand, in order, without overlaps."""
        found: list[tuple[int, int]] = []
        if self._long is not None and any(form in text for form in self._plain):
            found += [match.span() for match in self._long.finditer(text)]
        if self._mixed is not None and any(sign in text for sign in self._signs):
            found += [match.span() for match in self._mixed.finditer(text)]
        if self._short is not None and short:
            found += [match.span() for match in self._short.finditer(text)]
        made: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if made and start < made[-1][1]:
                made[-1] = (made[-1][0], max(end, made[-1][1]))
            else:
                made.append((start, end))
        return made

    def text(self, text: str, *, short: bool = True) -> str:
        """The text without secrets; ``short`` ones may stay where they are not looked for."""
        made, last = [], 0
        for start, end in self._spans(text, short=short):
            made += [text[last:start], REDACTED]
            last = end
        return _generic("".join([*made, text[last:]]) if made else text)

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets."""
        return self.pieces((data,))[0]

    def pieces(self, pieces: Sequence[bytes]) -> tuple[bytes, ...]:
        """Bytes that arrived in pieces, without secrets, also without one that was cut between two pieces.

        A replacement stands in the piece in which the secret began. A piece may become empty.
        """
        whole = b"".join(pieces).decode("latin-1")
        spans = self._spans(whole)
        if _worth(whole):
            spans += [match.span() for pattern in (_SIGNATURE, _USERINFO) for match in pattern.finditer(whole)]
        if not spans:
            return tuple(pieces)
        made, at, waiting = [], 0, sorted(spans)
        done = 0
        for piece in pieces:
            end, out = at + len(piece), []
            while waiting and waiting[0][0] < end:
                start, stop = waiting.pop(0)
                if start < done:
                    continue
                out += [whole[max(at, done) : start], self._replacement(whole[start:stop])]
                done = stop
            out.append(whole[max(at, done) : end] if done < end else "")
            made.append("".join(out).encode("latin-1"))
            at = end
        return tuple(made)

    def _replacement(self, found: str) -> str:
        """What stands in place of a secret: the beginning of a URL or parameter stays."""
        generic = _generic(found)
        return generic if generic != found else REDACTED

    def header(self, name: str, value: str) -> str:
        """The value of a header without secrets. Headers that are secret by name are not its business."""
        framing = name.lower() in _FRAMING
        if self._alone and not framing and not self._alone.isdisjoint((value, *_SEPARATORS.split(value))):
            return REDACTED
        return self.text(value, short=not framing)


def _literal(secret: str) -> Iterator[str]:
    """The forms of a secret that are looked for as they stand."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield raw.decode("latin-1")
    yield quote(raw, safe="")
    yield html.escape(secret)
    yield secret.encode("unicode_escape").decode("ascii")
    yield from _encoded(secret)


def _signs(secret: str) -> Iterator[str]:
    """What a text must hold if some character of a secret is escaped in it."""
    yield from ("\\u", "%", "&#")
    if set(secret) & set("\"\\/'"):
        yield "\\"
    if set(secret) & set("<>&\"'"):
        yield "&"
    if " " in secret:
        yield "+"


def _worth(text: str) -> bool:
    """True if a text may hold a signature, or a user and a password. The patterns are slow; most texts hold none."""
    if "@" in text and ("://" in text or ":\\/" in text):
        return True
    small = text.lower()
    return "sig=" in small or "sig%3d" in small or "sig\\u003d" in small


def _generic(text: str) -> str:
    """The text without signatures, and without users and passwords in URLs."""
    if not _worth(text):
        return text
    return _USERINFO.sub(r"\1redacted@", _SIGNATURE.sub(r"\1redacted", text))


#: Every secret that this process has met: for messages of errors, wherever they come from.
PROCESS = Secrets()
