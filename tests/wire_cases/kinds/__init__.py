"""The kinds of wire cases, one in each file."""
