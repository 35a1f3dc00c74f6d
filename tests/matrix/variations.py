"""All variations that no rule forbids: those of any answer, and those of the servers of videos."""

from __future__ import annotations

import benign_variations
import film_variations
from answers import Named

__all__ = ["VARIATIONS"]

#: What is done differently and the change that does it, by the name of the variation.
VARIATIONS: Named = benign_variations.VARIATIONS | film_variations.VARIATIONS
