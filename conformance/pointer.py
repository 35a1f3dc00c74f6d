"""JSON Pointers (RFC 6901)."""
