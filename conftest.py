"""Loads the plugin in a checkout. Where the package is installed too, pytest knows the plugin already by this name."""

pytest_plugins = ["conformance.plugin"]
