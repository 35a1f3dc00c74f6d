"""This file puts its folder on the import path, because the folders below share the modules beside it."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes is the machine's business: no test depends on time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
