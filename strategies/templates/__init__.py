"""Meaningful requests in the forms that clients send, one subject per file; found by walking this folder."""
