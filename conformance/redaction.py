"""Secrets, and how they are taken out of everything that is stored or printed.

A secret is replaced wherever it stands: plain, escaped for JSON, a URL or HTML, character by character or in part, and
in base64. Signatures of SAS URLs, user names and passwords in URLs, and secrets that a target makes for a client (the
ephemeral key of a realtime session) are replaced without being known.

A secret of fewer than :data:`SHORTEST` characters can't be told apart from ordinary text: an emulator's key ``k`` is in
every second word. It is replaced only where a secret would stand: as a whole value in quotes, after ``=`` or
``Bearer``, and in headers as a word of its own. A secret that is a word of the API (``user``) is replaced in headers
alone. Otherwise a report would be useless, or accuse the target of what was replaced.

Two marks take the place of secrets. :data:`REDACTED` stands for a credential: an answer that holds it shows what only
the request may hold. :data:`HIDDEN` stands for what is hidden to be on the safe side, as the value of a configured
header that might be a word of any text, a cookie that the target itself has set, or a secret that it made for a client.
An answer may hold that.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from urllib.parse import quote

from attrs import frozen

__all__ = ["HIDDEN", "MOST_COOKIES", "PROCESS", "REDACTED", "SHORTEST", "Secrets", "looks_random", "parts_of"]

#: The text that replaces a credential.
REDACTED = "[redacted]"

#: The text that replaces a value of which nobody knows whether it is a secret.
HIDDEN = "[hidden]"

#: The word that replaces what is a secret by its place in a URL. It may stand in a URL, so that the URL remains one.
_IN_URL = "redacted"

#: Secrets with fewer characters are replaced only where they stand as a whole value.
SHORTEST = 8

#: Up to this length every mixture of escapes is recognised; longer ones, such as tokens, in one kind of escape.
_LONGEST_MIXED = 512

#: Cookies of answers that are remembered at most: a target may send new ones without end.
MOST_COOKIES = 20

#: A cookie with fewer characters, or without letters and digits, may be a word such as the name of a region.
_SHORTEST_COOKIE = 16

#: The most backslashes before a character that are seen as its escape: four JSON texts in each other need fifteen. The
#: search would be quadratic in the length of a run of backslashes without this limit.
_ESCAPE = r"\\{1,16}"

#: The signature of a SAS URL.
_SIGNATURE = re.compile(r"((?:[?&;]|\\u0026|%26)sig(?:=|%3D|\\u003d))[^&\"'\s<>\\;]+", re.IGNORECASE)

#: User and password in a URL (RFC 3986 section 3.2.1).
_USERINFO = re.compile(r"(https?:(?:\\?/){2})[^/\s@\"'<>\\?#]+@", re.IGNORECASE)

#: A secret that a target makes for a client, by its prefix.
_EPHEMERAL = re.compile(r"(?<![A-Za-z0-9_-])ek_[A-Za-z0-9_-]{8,}")

#: The inside of a JSON string that isn't empty and isn't hidden yet, up to its end or that of a broken answer.
#: The possessive quantifiers read it once, however long it is.
_TEXT = rf"""(?!{re.escape(REDACTED)}")(?=[^"])[^"\\]*+(?:\\.[^"\\]*+)*+"""

#: The same by its place in JSON, whatever it looks like: the text or the ``value`` of ``client_secret``, and a
#: ``value`` that stands beside the time of its end.
_HANDED_OUT = re.compile(
    r"""
    "client_secret"\s*:\s*(?:\{[^{}]*?"value"\s*:\s*)?"(TEXT)
    | "expires_at"\s*:\s*[^\s",{}\[\]]+\s*,\s*"value"\s*:\s*"(TEXT)
    | "value"\s*:\s*"(TEXT)"\s*,\s*"expires_at"\s*:
    """.replace("TEXT", _TEXT),
    re.VERBOSE,
)

#: Values of headers that are no secrets, whoever set them: without them a report couldn't be read.
_ORDINARY = re.compile(
    r"(?:application|text|audio|image|video|multipart|\*)/[a-z0-9.+*-]+(?:\s*;.*)?|true|false|yes|no|on|off|identity|gzip"
    r"|close|keep-alive|no-cache|no-store|\d{4}-\d{2}-\d{2}(?:-[a-z]+)?|(?:assistants|responses)=v\d",
    re.IGNORECASE,
)

#: Letters and digits in a row that nobody writes by chance, and a UUID (RFC 9562).
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

#: A cookie that may be the key to a session.
_SESSION = re.compile(rf"(?=.*[A-Za-z])(?=.*[0-9]).{{{_SHORTEST_COOKIE},}}")

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
def _unit(char: str, *, misread: bool = True) -> str:
    """A pattern for one character in any escape; with ``misread`` also as one whose UTF-8 was read as Latin-1, in which
    HTTP libraries show headers.
    """
    forms = [re.escape(char)]
    raw = char.encode("utf-8", "surrogatepass")
    if len(raw) > 1:
        forms.append(re.escape(raw.decode("latin-1")))
        if misread:
            forms.append("".join(_unit(chr(byte), misread=False) for byte in raw))
    forms.append(f"(?i:{''.join(f'%{byte:02x}' for byte in raw)})")
    wide = char.encode("utf-16-be", "surrogatepass").hex()
    forms.append("(?i:" + "".join(rf"{_ESCAPE}u{wide[n : n + 4]}" for n in range(0, len(wide), 4)) + ")")
    forms.append(f"(?i:&#(?:0*{ord(char)}|x0*{ord(char):x});)")
    if char in "\"\\/'":
        forms.append(_ESCAPE + re.escape(char))
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


def looks_random(value: str) -> bool:
    """True for a value that nobody writes by chance: it has 16 letters and digits in a row, or is a UUID."""
    return bool(_UUID.search(value)) or any(
        re.search("[0-9]", run) and re.search("[A-Za-z]", run) for run in _RUN.findall(value)
    )


@frozen
class _Patterns:
    """What finds some secrets. ``alone`` are those that are looked for in headers as words of their own."""

    alone: frozenset[str] = frozenset()
    plain: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    long: re.Pattern[str] | None = None
    mixed: re.Pattern[str] | None = None
    short: re.Pattern[str] | None = None

    @classmethod
    def of(cls, values: Iterable[str], words: Collection[str]) -> _Patterns:
        """The patterns for some secrets; ``words`` are looked for in headers alone."""
        # The longest comes first, so that no part of it stays where it holds another one.
        found = sorted(values, key=len, reverse=True)
        spoken = [value for value in found if value not in words]
        long = [value for value in spoken if len(value) >= SHORTEST]
        short = [value for value in spoken if len(value) < SHORTEST]
        plain = sorted({form for value in long for form in _literal(value)}, key=len, reverse=True)
        mixed = ["".join(map(_unit, value)) for value in long if len(value) <= _LONGEST_MIXED]
        either = "|".join("".join(map(_unit, value)) for value in short)
        alone = rf"(?:(?<=[\"'=])|(?<=earer ))(?:{either})(?=[\"'](?!\s*:)|[&\r\n;]|$)"
        return cls(
            alone=frozenset(value for value in found if len(value) < SHORTEST or value in words),
            plain=tuple(plain),
            signs=tuple(_signs("".join(long))),
            long=re.compile("|".join(map(re.escape, plain))) if plain else None,
            mixed=re.compile("|".join(mixed)) if mixed else None,
            short=re.compile(alone) if short else None,
        )

    def spans(self, text: str, *, short: bool) -> Iterator[tuple[int, int]]:
        """Where the secrets stand, in any order."""
        if self.long is not None and any(form in text for form in self.plain):
            yield from (match.span() for match in self.long.finditer(text))
        if self.mixed is not None and any(sign in text for sign in self.signs):
            yield from (match.span() for match in self.mixed.finditer(text))
        if self.short is not None and short:
            yield from (match.span() for match in self.short.finditer(text))


class Secrets:
    """The secrets of one target, or of this process. Thread-safe; more may be added at any time.

    ``words`` are those of the API: a secret that is one of them is looked for in headers only.
    """

    def __init__(self, words: Collection[str] = ()) -> None:
        self._words = words
        self._lock = threading.Lock()
        self._credentials: frozenset[str] = frozenset()
        self._cautious: frozenset[str] = frozenset()
        #: The mark of each kind → what finds its secrets.
        self._patterns: dict[str, _Patterns] = {}
        #: Name and value of header fields that were looked at → the value without secrets.
        self._fields: dict[tuple[str, str], str] = {}
        self._cookies = 0

    @property
    def values(self) -> frozenset[str]:
        """All secrets, in no order."""
        return self._credentials | self._cautious

    def add(self, *secrets: str, credential: bool = True) -> None:
        """From now on replace these too. Empty ones are ignored.

        ``credential`` is False for values that only may be secrets: they are replaced by :data:`HIDDEN`.
        """
        with self._lock:
            new = {secret for secret in secrets if secret} - self._credentials
            new -= frozenset() if credential else self._cautious
            if not new:
                return
            if credential:
                self._credentials |= new
            self._cautious = self._cautious - new if credential else self._cautious | new
            kinds = {REDACTED: self._credentials, HIDDEN: self._cautious}
            self._patterns = {mark: _Patterns.of(values, self._words) for mark, values in kinds.items() if values}
            # After the patterns: a thread that still works with the old ones writes into the old dictionary.
            self._fields = {}
        if self is not PROCESS:
            PROCESS.add(*new, credential=credential)

    def cookies(self, values: Sequence[str]) -> None:
        """Remember the cookies that an answer sets, up to a limit, unless they look like words.

        They are in no request, so an answer that shows one does no harm by that.
        """
        if not values or self._cookies >= MOST_COOKIES:
            return
        found = (value.partition(";")[0].partition("=")[2].strip().strip('"') for value in values)
        new = [cookie for cookie in dict.fromkeys(found) if _SESSION.fullmatch(cookie) and cookie not in self.values]
        new = new[: MOST_COOKIES - self._cookies]
        self._cookies += len(new)
        self.add(*new, credential=False)

    def _spans(self, text: str, *, short: bool = True) -> deque[tuple[int, int, str]]:
        """Where secrets stand, in order and without overlaps, and what takes their place.

        Secrets that overlap are replaced as one. What a URL's form alone shows to be a secret gives way to the others.
        """
        found = [
            (start, end, mark)
            for mark, patterns in self._patterns.items()
            for start, end in patterns.spans(text, short=short)
        ]
        if _worth(text):
            found += [(match.end(1), match.end(), _IN_URL) for match in _SIGNATURE.finditer(text)]
            found += [(match.end(1), match.end() - 1, _IN_URL) for match in _USERINFO.finditer(text)]
        if "ek_" in text:
            found += [(*match.span(), HIDDEN) for match in _EPHEMERAL.finditer(text)]
        if '"client_secret"' in text or ('"expires_at"' in text and '"value"' in text):
            found += [(*match.span(match.lastindex or 0), HIDDEN) for match in _HANDED_OUT.finditer(text)]
        made: deque[tuple[int, int, str]] = deque()
        for span in sorted(found):
            made.append(_joined(made.pop(), span) if made and span[0] < made[-1][1] else span)
        return made

    def text(self, text: str, *, short: bool = True) -> str:
        """The text without secrets; ``short`` ones may stay where they are not looked for."""
        made, last = [], 0
        for start, end, mark in self._spans(text, short=short):
            made += [text[last:start], mark]
            last = end
        return "".join([*made, text[last:]]) if made else text

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets."""
        return self.pieces((data,))[0]

    def pieces(self, pieces: Sequence[bytes]) -> tuple[bytes, ...]:
        """Bytes that arrived in pieces, without secrets, also without one that was cut between two pieces.

        A replacement stands in the piece in which the secret began. A piece may become empty.
        """
        whole = b"".join(pieces).decode("latin-1")
        waiting = self._spans(whole)
        if not waiting:
            return tuple(pieces)
        made, at, done = [], 0, 0
        for piece in pieces:
            end, out = at + len(piece), []
            while waiting and waiting[0][0] < end:
                start, stop, mark = waiting.popleft()
                out += [whole[max(at, done) : start], mark]
                done = stop
            out.append(whole[max(at, done) : end] if done < end else "")
            made.append("".join(out).encode("latin-1"))
            at = end
        return tuple(made)

    def header(self, name: str, value: str) -> str:
        """The value of a header without secrets. Headers that are secret by name are not its business."""
        # Most fields of a target's answers are the same in all of them.
        fields = self._fields
        found = fields.get((name, value))
        if found is None:
            found = self._header(name, value)
            if len(value) <= 200 and len(fields) < 2_000:
                fields[name, value] = found
        return found

    def _header(self, name: str, value: str) -> str:
        framing = name.lower() in _FRAMING
        for mark, patterns in self._patterns.items():
            if patterns.alone and not framing and not patterns.alone.isdisjoint((value, *_SEPARATORS.split(value))):
                return mark
        return self.text(value, short=not framing)


#: Marks by what is said if secrets of several kinds overlap.
_ORDER = (REDACTED, HIDDEN, _IN_URL)


def _joined(one: tuple[int, int, str], other: tuple[int, int, str]) -> tuple[int, int, str]:
    """Two secrets that overlap as one: start, end, and what takes their place."""
    (start, end, mark), (_, last, further) = one, other
    return start, max(end, last), min(mark, further, key=_ORDER.index)


def _literal(secret: str) -> Iterator[str]:
    """The forms of a secret that are looked for as they stand."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    misread = raw.decode("latin-1")
    yield misread
    if misread != secret:
        yield misread.encode().decode("latin-1")
    yield quote(raw, safe="")
    yield html.escape(secret)
    yield secret.encode("unicode_escape").decode("ascii")
    if len(secret) > _LONGEST_MIXED:
        for byte, unit in (("%{:02X}", "\\u{:04X}"), ("%{:02x}", "\\u{:04x}")):
            yield "".join(map(byte.format, raw))
            yield "".join(unit.format(ord(char)) for char in secret)
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


#: Every secret that this process has met: for messages of errors, wherever they come from.
PROCESS = Secrets()
