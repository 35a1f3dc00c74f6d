"""Handlers of the stateful resources: assistants, threads, files and so on. One resource per file."""
