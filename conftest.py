"""Loads the plugin in a checkout. Installed, it is an entry point of the same name, so it is never loaded twice."""

pytest_plugins = ["conformance.plugin"]
