"""From evidence to verdicts: what a check is, how one is judged, excuses, counterexamples."""
