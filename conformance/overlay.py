"""Changes to a document: OpenAPI Overlay 1.0 actions and JSON Patch errata, applied to copies.

Overlay targets are RFC 9535 JSONPath expressions; an action whose target matches nothing is an error, so that a
stale overlay is noticed. Errata are RFC 6902 patches that begin with a ``test``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import jsonpatch
from jsonpath import JSONPathError, JSONPathMatch, finditer

from conformance.errors import SpecError

if TYPE_CHECKING:
    from conformance.spec import Erratum

__all__ = ["apply_overlay", "apply_patch", "merge"]


def merge(node: Any, update: Any) -> Any:
    """The overlay merge: objects are merged recursively, arrays are concatenated, other values are replaced."""
    if isinstance(node, dict) and isinstance(update, Mapping):
        return {**node, **{key: merge(node[key], value) if key in node else value for key, value in update.items()}}
    if isinstance(node, list) and isinstance(update, list):
        return [*node, *update]
    return update


def apply_overlay(document: Mapping[str, Any], overlay: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """A copy of ``document`` with all actions of ``overlay`` applied in order; raises :class:`SpecError`."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for index, action in enumerate(overlay.get("actions", ())):
        place = f"{where}: actions[{index}] target {action.get('target')!r}"
        try:
            matches = list(finditer(action["target"], result))
        except (KeyError, JSONPathError) as error:
            raise SpecError(f"the target can't be read: {error}", where=place) from None
        if not matches:
            raise SpecError("the target matches nothing", where=place)
        for match in reversed(matches):
            _act(result, match, action)
        if matches[0].parent is None and "update" in action:
            result = merge(result, copy.deepcopy(action["update"]))
    return result


def _act(root: Any, match: JSONPathMatch, action: Mapping[str, Any]) -> None:
    if match.parent is None:
        return
    holder: Any = match.parent.obj
    key: Any = match.parts[-1]
    if action.get("remove"):
        del holder[key]
    elif "update" in action:
        holder[key] = merge(holder[key], copy.deepcopy(action["update"]))


def apply_patch(document: Mapping[str, Any], errata: Iterable[Erratum], *, where: str) -> dict[str, Any]:
    """A copy of ``document`` with the patches of ``errata`` applied in order; raises :class:`SpecError`."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for erratum in errata:
        if not erratum.patch:
            continue
        if erratum.patch[0]["op"] != "test":
            raise SpecError(f"erratum {erratum.id}: the patch must begin with a test", where=where)
        try:
            result = jsonpatch.apply_patch(result, list(erratum.patch), in_place=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, TypeError) as error:
            raise SpecError(f"erratum {erratum.id}: the patch does not apply: {error}", where=where) from None
    return result
