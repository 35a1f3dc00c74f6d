"""Meaningful requests as real clients send them, one subject per file. The files are found by walking this folder."""
