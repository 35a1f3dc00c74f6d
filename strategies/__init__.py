"""How requests are derived from a Spec.

Valid requests from templates and schemas, boundaries, violations of one constraint, texts and media files.
"""
