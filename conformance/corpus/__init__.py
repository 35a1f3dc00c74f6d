"""All requests that are derived for an api-version, and how much of its document they cover."""
