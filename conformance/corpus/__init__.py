"""All requests that are derived for an api-version, and what of its document they cover."""
