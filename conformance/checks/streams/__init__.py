"""Checks of event streams: framing, events, and what each protocol demands."""
