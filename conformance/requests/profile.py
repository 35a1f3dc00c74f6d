"""The profiles: how much is sent."""

from __future__ import annotations

__all__ = ["Profile"]


class Profile:
    """The names of the profiles, from the smallest to the largest."""

    SMOKE = "smoke"
    STANDARD = "standard"
    EXHAUSTIVE = "exhaustive"
    ALL = (SMOKE, STANDARD, EXHAUSTIVE)
