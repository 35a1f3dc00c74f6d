"""Hypothesis strategies for texts that a client might send: several scripts, edges of Unicode, control characters."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .vocabulary import LONG_TEXT, SCRIPTS

__all__ = ["prompts", "texts"]

#: Whole phrases that are drawn often.
_PHRASES = (
    "Say hello in one word.",
    SCRIPTS,
    "e\u0301 is not \u00e9 until it is normalised",
    "\u202eright to left\u202c",
    "zero\u200bwidth",
    "tab\tnew\nline\r\n",
    "bell\u0007 escape\u001b[0m",
    "\U0001f469\u200d\U0001f680 \U0001f1f3\U0001f1f4",
    '"quoted" \\ and {braces} <tags/>',
    LONG_TEXT * 4,
)


def texts(*, minimum: int = 0, maximum: int | None = None) -> SearchStrategy[str]:
    """A strategy for texts without surrogates and NUL, within the bounds (in characters).

    Drawn texts have at most 200 characters; whole phrases may be longer.
    """
    # Longer texts cost tokens on a live target and show nothing new; bounds have requests of their own.
    most = 200 if maximum is None else min(maximum, 200)
    plain = st.text(
        # Lone surrogates can't be written as UTF-8, and the service refuses U+0000.
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        min_size=min(minimum, most),
        max_size=most,
    )
    longest = 1000 if maximum is None else maximum
    fitting = [phrase for phrase in _PHRASES if minimum <= len(phrase) <= max(longest, 0)]
    # Phrases that are known to make trouble, or random texts.
    return st.sampled_from(fitting) | plain if fitting else plain


def prompts() -> SearchStrategy[str]:
    """A strategy for texts with at least one character that isn't white space."""
    return texts(minimum=1, maximum=400).filter(lambda text: bool(text.strip()))
