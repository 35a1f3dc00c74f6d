"""How much is sent: the names of the profiles."""

from __future__ import annotations

__all__ = ["Profile"]


class Profile:
    """The names of the profiles, from the cheapest to the fullest."""

    SMOKE = "smoke"
    STANDARD = "standard"
    EXHAUSTIVE = "exhaustive"
    ALL = (SMOKE, STANDARD, EXHAUSTIVE)
