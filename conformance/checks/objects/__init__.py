"""Checks of stored objects: lifecycle, lists, states, and each kind of resource."""
