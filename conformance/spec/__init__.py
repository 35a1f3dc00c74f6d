"""One api-version as data: its folder, tables, overlay, cache and operations."""
