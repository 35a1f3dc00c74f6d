"""Checks of the Responses API."""
