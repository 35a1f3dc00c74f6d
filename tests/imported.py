"""Api-versions that no folder of ``specs`` has: documents beside the tests, imported for them.

What only such a document has, as the videos of later ones, is proved on it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec
from conformance.spectools.importing import import_file

__all__ = ["FILMS", "IMPORTED", "PUBLISHED_FILMS", "all_versions", "spec_of", "specs_of"]

#: The version with videos of later documents.
FILMS = "films"

#: Version → its document.
IMPORTED = {FILMS: Path(__file__).parent / "other_providers" / f"{FILMS}.yaml"}

#: The published document that has videos, as it lies beside the checkout; not there in others.
PUBLISHED_FILMS = "v1-preview-published"

_SHARED = Path(os.environ.get("AOAI_SHARED", Path(__file__).resolve().parents[2] / "shared"))
_DOCUMENTS = IMPORTED | {PUBLISHED_FILMS: _SHARED / "official-specs" / "v1-preview.json"}

#: The folders of imported versions, as long as this process lives.
_KEPT = TemporaryDirectory[str](prefix="imported-")


@cache
def spec_of(version: str) -> Spec:
    """A version of the suite, or an imported one. Skips the test where the document of that is absent."""
    if version not in _DOCUMENTS:
        return load(version)
    if not _DOCUMENTS[version].is_file():
        pytest.skip("the published documents are not beside the checkout")
    import_file(_DOCUMENTS[version], version, Path(_KEPT.name))
    return load(version, Path(_KEPT.name))


def specs_of(version: str) -> Path | None:
    """The folder in which an imported version lies; None for one of the suite."""
    return Path(_KEPT.name) if version in IMPORTED and spec_of(version) else None


def all_versions() -> tuple[str, ...]:
    """All versions, those of the suite from the newest on, then its drafts, then the imported ones."""
    return (*dict.fromkeys((*reversed(versions()), *versions(drafts=True))), *IMPORTED)
