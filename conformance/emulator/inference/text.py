"""A tokenizer and a deterministic text generator. The same prompt always gets the same answer.

A token is a run of at most six letters with the space before it, a single sign, or white space. Tokens are whole code
points; joined they are the text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from attrs import frozen

__all__ = ["Written", "count", "cut", "reply", "tokenize"]

_LOOSE = re.IGNORECASE | re.DOTALL
#: Each character falls into one of the three alternatives, so that the joined tokens are the text.
_TOKEN = re.compile(r" ?\w{1,6}| ?[^\w\s]|\s+")
#: A prompt such as "Repeat exactly: red green blue" is answered with the text after the colon.
_ECHO = re.compile(r"\b(?:repeat|echo|say|reply with|answer with|write)\b[^:\n]{0,60}:\s*(\S.*)", _LOOSE)
#: A prompt with such a word is answered with numbers, which gives an answer of known length.
_COUNTING = ("count", "numbers", "long", "essay", "every")
_COUNT = re.compile("|".join(rf"\b{word}\b" for word in _COUNTING), re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}")
_SENTENCE = (
    "the river keeps a slow and even pace while small boats carry bread paper seeds and letters from town to town "
    "every morning someone opens a window counts the clouds and writes down what the wind has moved in the night"
)
_WORDS = _SENTENCE.split()
#: Answers to at most so many characters are kept: a thousand of them take little memory.
_SHORT = 1000


@frozen
class Written:
    """Generated text as tokens, and why it ended: ``stop`` or ``length``."""

    tokens: tuple[str, ...]
    finish: str

    @property
    def text(self) -> str:
        """The tokens joined."""
        return "".join(self.tokens)


def tokenize(text: str) -> list[str]:
    """Tokens of a text; joined they are the text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(_TOKEN.findall(text))


def reply(prompt: str, variant: str = "0") -> str:
    """The answer to a prompt: the text that it asks to repeat, numbers if it asks to count, else meaningless prose."""
    return (_known_reply if len(prompt) + len(variant) <= _SHORT else _reply)(prompt, variant)


def _reply(prompt: str, variant: str) -> str:
    """The answer to a prompt, made anew."""
    # Both expressions are slow in a long text, and most texts show at a glance that neither can match.
    told = _ECHO.search(prompt) if ":" in prompt else None
    if told:
        return told.group(1).strip().strip("\"'")
    folded = prompt.casefold()
    if any(word in folded for word in _COUNTING) and _COUNT.search(prompt):
        # The largest number is the one to count to: "Count from 1 to 900".
        named = [int(number) for number in _NUMBER.findall(prompt)]
        # At most 1000 numbers, whatever the prompt asks for.
        return ", ".join(str(number) for number in range(1, min(max(named, default=200), 1000) + 1))
    digest = hashlib.sha256(f"{prompt}\0{variant}".encode()).digest()
    # A digest has 32 bytes and the text more words, so the second round multiplies by another factor.
    picked = [*digest, *(2 * byte for byte in digest)][: 28 + digest[0] % 24]
    words = [_WORDS[number % len(_WORDS)] for number in picked]
    words[0] = words[0].capitalize()
    for place in range(6, len(words) - 3):
        if digest[place % 32] % 9 == 0:  # a sentence begins
            words[place - 1] += "."
            words[place] = words[place].capitalize()
    return " ".join(words) + "."


#: A run asks for the same few texts again and again.
_known_reply = lru_cache(maxsize=1024)(_reply)


def cut(text: str, *, stop: Sequence[str] = (), limit: int | None = None) -> Written:
    """End a text before the first stop sequence, or after ``limit`` tokens."""
    # Stop sequences act on the text, so they are searched before it is cut into tokens.
    found = [at for at in (text.find(sequence) for sequence in stop if sequence) if at >= 0]
    ended = tokenize(text[: min(found)] if found else text)
    if limit is not None and len(ended) > limit:
        return Written(tuple(ended[:limit]), "length")
    return Written(tuple(ended), "stop")


def offsets(tokens: Iterable[str], start: int = 0) -> list[int]:
    """The position of each token, in code points."""
    return list(accumulate((len(token) for token in tokens), initial=start))[:-1]


def logprob(token: str, place: int) -> float:
    """A made-up natural logarithm of a probability, between -0.5 and 0."""
    # Between 1 and 256 of 512 parts: never zero, as no token is certain.
    return -round((hashlib.blake2s(f"{token}\0{place}".encode()).digest()[0] + 1) / 512, 6)


def alternatives(token: str, place: int, many: int) -> list[tuple[str, float]]:
    """The likeliest tokens in one place with their log probabilities: the chosen one first, then in falling order."""
    chosen = logprob(token, place)
    others = [f" {word}" for word in _WORDS if f" {word}" != token]
    # Each place begins at another word, and no word appears twice.
    ranked = dict.fromkeys(others[(place + i) % len(others)] for i in range(len(others)))
    rest = list(ranked)[: max(many - 1, 0)]
    return [(token, chosen), *((other, round(chosen - 1.5 - i, 6)) for i, other in enumerate(rest))][:many]
