"""The only package that sends requests: transport, retries, limits, guards, journal, cleanup, preflight."""
