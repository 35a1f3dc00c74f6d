"""Tools for api-versions as data: lint, show, diff, import, numbers. They are pure; the command line prints."""
