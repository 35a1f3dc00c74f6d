"""From evidence to verdicts: what a check is, how it is judged, counterexamples, and reasons why nothing can be
judged.
"""
