"""Scenarios: named generators that yield steps of cases and receive the exchanges. They do no I/O."""
