"""Every check, one subject per file. ``conformance.catalogue`` finds them by walking this folder."""
