"""Versions with small changes of their document, for tests: the change is known, so what must be found is too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from attrs import evolve

from conformance.spec.spec import Spec

__all__ = ["overlaid"]


def overlaid(spec: Spec, edit: Callable[[dict[str, Any]], Any], version: str = "") -> Spec:
    """The version with both views of its document edited, under another name."""
    name = version or f"{spec.version}-edited"
    views = []
    for view in (spec.document, spec.faithful):
        document = deepcopy(dict(view))
        edit(document)
        views.append(document)
    content = hashlib.sha256(json.dumps(views).encode()).hexdigest()
    return evolve(
        spec,
        version=name,
        document=views[0],
        faithful=views[1],
        digest=content,
        api_version=evolve(spec.api_version, accepted=(name,)),
    )
