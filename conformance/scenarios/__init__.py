"""Named generators that yield steps of cases and receive their exchanges. No I/O."""
