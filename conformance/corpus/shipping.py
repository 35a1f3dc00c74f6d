"""What a package holds besides its sources (``spec/derived.py``): the read folder and corpora of each api-version."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.corpus.corpus import build_corpus, lines_of, shipped_name
from conformance.requests.profile import Profile
from conformance.spec.derived import folder_name, packed
from conformance.spec.folder import own_tables
from conformance.spec.loading import load
from conformance.spec.shipped import specs_dir

__all__ = ["PROFILES", "files_of"]

#: The profiles whose requests are derived beforehand, with the seed that a run has if none is given.
PROFILES = (*Profile.CHOSEN, Profile.STANDARD)


def files_of(version: str, profiles: tuple[str, ...] = PROFILES) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one api-version of the suite: name below the folder, and content. Requests are derived anew.

    Raises :class:`UsageError` for an unknown version.
    """
    spec = load(version)
    entry = {"faithful": spec.faithful, "document": spec.document, **own_tables(specs_dir() / version)}
    yield folder_name(spec.digest), packed(json.dumps(entry, separators=(",", ":")).encode("ascii"))
    for profile in profiles:
        made = build_corpus(spec, profile, cached=False)
        yield shipped_name(spec, profile), packed("".join(lines_of(made.parts)).encode("ascii"))
