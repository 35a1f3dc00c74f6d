"""Hostile behaviours, one function each, by subject."""

from behaviours import connections, contents, conversations, unending  # noqa: F401 - each registers its functions
from behaviours.registry import BEHAVIOURS

__all__ = ["BEHAVIOURS"]
