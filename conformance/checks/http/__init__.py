"""Checks of what HTTP demands of every operation, and of access: keys, versions, deployments, routes."""
