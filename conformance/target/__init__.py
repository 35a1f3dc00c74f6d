"""The only way out: transport, retries, limits, guards, the journal, cleanup and preflight."""
