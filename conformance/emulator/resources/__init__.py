"""Handlers of the stored resources: assistants, threads, files and so on. One resource per file."""
