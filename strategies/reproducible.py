"""Hypothesis draws that depend on the seed alone.

Hypothesis mixes into its draws constants that it finds in the source of the program's own modules that are loaded at
that moment. Another start (from pytest or from the command line, from a checkout or from a wheel) would then give
another corpus. :data:`BACKEND` is Hypothesis' own backend without constants; the strategies here contain their own
boundary values.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

__all__ = ["BACKEND", "SeededProvider"]

#: The name of the backend, for ``hypothesis.settings(backend=…)``.
BACKEND = "aoai-conformance-seeded"


class SeededProvider(HypothesisProvider):
    """Hypothesis' own source of draws, without constants from loaded modules."""

    def _maybe_draw_constant(self, choice_type: Any, constraints: Any, *, p: float = 0.05) -> None:
        """Return None: draw no constant."""


# Hypothesis loads a provider by the path of its class.
AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{SeededProvider.__name__}"
