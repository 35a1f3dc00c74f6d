"""Checks of what HTTP and the way in demand of every operation."""
