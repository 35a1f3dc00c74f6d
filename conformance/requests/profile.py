"""The profiles: how much is sent."""

from __future__ import annotations

__all__ = ["Profile"]


class Profile:
    """The names of the profiles, from the smallest to the largest.

    ``CHOSEN`` are those whose requests are named by data of the api-version (``spec/choices.py``), because they show
    the most bad targets. ``WHOLE`` send everything that they derive.
    """

    SMOKE = "smoke"
    QUICK = "quick"
    STANDARD = "standard"
    EXHAUSTIVE = "exhaustive"
    CHOSEN = (SMOKE, QUICK)
    WHOLE = (STANDARD, EXHAUSTIVE)
    ALL = (*CHOSEN, *WHOLE)
