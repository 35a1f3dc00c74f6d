"""Applies OpenAPI Overlay 1.0 actions and JSON Patch errata to copies of a document.

Overlay targets are JSONPath expressions (RFC 9535). An action whose target matches nothing is an error, so that an
outdated overlay is noticed. Errata are JSON patches (RFC 6902) that begin with a ``test``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonpatch
from jsonpath import JSONPathError, JSONPathMatch, finditer

from conformance.errors import SpecError
from conformance.pointer import escape, look_up, tokens

__all__ = ["OverlayError", "PatchError", "apply_overlay", "apply_patches", "merge", "patched"]


#: The most characters of what a library says that a message repeats.
_LONGEST = 200


class OverlayError(SpecError):
    """An action of an overlay can't be applied. ``index`` is its place in ``actions``."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class PatchError(SpecError):
    """A patch can't be applied. ``id`` is that of its erratum, ``index`` its position among the patches."""

    def __init__(self, message: str, id: str, index: int) -> None:
        super().__init__(message)
        self.id = id
        self.index = index


def merge(node: Any, update: Any) -> Any:
    """The overlay merge: objects are merged recursively, arrays are concatenated, other values are replaced."""
    if isinstance(node, dict) and isinstance(update, Mapping):
        return {**node, **{key: merge(node[key], value) if key in node else value for key, value in update.items()}}
    if isinstance(node, list) and isinstance(update, list):
        return [*node, *update]
    return update


def apply_overlay(document: Mapping[str, Any], overlay: Any) -> dict[str, Any]:
    """A copy of the document with all actions of the overlay applied in order. Raises :class:`OverlayError`."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    actions = overlay.get("actions", ()) if isinstance(overlay, Mapping) else ()
    for index, action in enumerate(actions):
        if not isinstance(action, Mapping) or not isinstance(action.get("target"), str):
            raise OverlayError("an action needs a target", index)
        unknown = set(action) - {"target", "description", "update", "remove"}
        if unknown:
            raise OverlayError(f"unknown key {min(unknown)!r}", index)
        try:
            matches = list(finditer(action["target"], result))
        except JSONPathError as error:
            raise OverlayError(f"the target {action['target']!r} can't be read: {error}", index) from None
        if not matches:
            raise OverlayError(f"the target {action['target']!r} matches nothing", index)
        for match in reversed(matches):
            _act(match, action)
        if matches[0].parent is None and "update" in action:
            result = merge(result, copy.deepcopy(action["update"]))
    return result


def _act(match: JSONPathMatch, action: Mapping[str, Any]) -> None:
    """Apply an action to one match."""
    if match.parent is None:
        return
    holder: Any = match.parent.obj
    key: Any = match.parts[-1]
    if action.get("remove"):
        del holder[key]
    elif "update" in action:
        holder[key] = merge(holder[key], copy.deepcopy(action["update"]))


def patched(document: Mapping[str, Any], name: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document with one patch applied; the given one stays as it was.

    Both share whatever the patch leaves alone: a copy of all would take most of the time where many patches are tried.
    Raises :class:`PatchError`.
    """
    result = dict(document)
    try:
        for operation in operations:
            for member in ("path", "from"):
                if member in operation:
                    _own(result, str(operation[member]))
            result = jsonpatch.apply_patch(result, [operation], in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, TypeError) as error:
        raise PatchError(f"the patch does not apply: {_short(error)}", name, 0) from None
    return result


def _own(document: dict[str, Any], pointer: str) -> None:
    """Replace what holds the place of a pointer, and what holds that, by shallow copies. Stops where nothing is."""
    place = ""
    for token in tokens(pointer)[:-1]:
        holder, place = look_up(document, place), f"{place}/{escape(token)}"
        inner = look_up(document, place)
        if not isinstance(inner, dict | list):
            return
        holder[int(token) if isinstance(holder, list) else token] = copy.copy(inner)


def _short(error: Exception) -> str:
    """What a library says of a patch, without the document that it may quote as a whole."""
    text = str(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def apply_patches(document: Mapping[str, Any], patches: Iterable[tuple[str, Sequence[Any]]]) -> dict[str, Any]:
    """A copy of the document with the patches, each (id, operations), applied in order. Raises :class:`PatchError`."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    for index, (name, operations) in enumerate(patches):
        if not operations:
            continue
        try:
            result = jsonpatch.apply_patch(result, list(operations), in_place=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, TypeError) as error:
            raise PatchError(f"the patch does not apply: {_short(error)}", name, index) from None
    return result
