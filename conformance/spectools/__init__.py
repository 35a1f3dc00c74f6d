"""Tools over api-versions as data: lint, show, diff, import, numbers. Pure; the command line prints."""
