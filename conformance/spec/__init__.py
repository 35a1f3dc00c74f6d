"""One api-version as data: reading its folder, its tables, overlay, cache and operations."""
