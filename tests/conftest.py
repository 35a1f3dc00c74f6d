"""Its place puts this folder on the import path: the modules beside it are shared by the folders below."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes is the machine's business: no test depends on time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
