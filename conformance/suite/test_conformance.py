"""The place of the items: pytest is called with this file or a folder above it. ``items.py`` says what they are."""
