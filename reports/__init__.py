"""Every form that a run can be reported in. ``jsonl`` is the canonical one; the others derive from it."""
