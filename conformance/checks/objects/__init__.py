"""Checks of stored objects: lifecycles, lists, states, and each kind of resource."""
