"""Words that recorders write in place of what they hide: no secret, no id and no value of a request."""

from __future__ import annotations

import re

__all__ = ["is_placeholder"]

#: The defaults of the Azure SDKs' test proxy, of VCR and of log filters, and what people write in their place.
_WORD = re.compile(
    r"sanitized|(?:<|\[|\{|\*)*(?:redacted|filtered|removed|hidden|secret|fake|dummy|scrubbed|masked|anonymized)"
    r"(?:>|\]|\}|\*)*|\*{3,}|x{8,}|0{8}-0{4}-0{4}-0{4}-0{12}",
    re.IGNORECASE,
)


def is_placeholder(text: str) -> bool:
    """Return True for a text that stands for something that was hidden, as a whole."""
    return _WORD.fullmatch(text.strip()) is not None
