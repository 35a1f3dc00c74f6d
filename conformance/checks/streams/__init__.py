"""Checks of event streams: framing, event data, and the demands of each protocol."""
