"""The rules of transparency, one subject in each file."""
