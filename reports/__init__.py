"""Every format of a report. ``jsonl`` is the canonical one; the others are derived from it."""
