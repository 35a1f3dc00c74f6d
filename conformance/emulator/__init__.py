"""The embedded default target: a pure application ``Request + State → Response`` behind a small HTTP server.

It is written from the documents and the clauses, never from the checks: nothing here imports ``judging``, ``checks``,
``scenarios`` or ``strategies``. What a version can do is asked of its Spec; no version is named in code.
"""
