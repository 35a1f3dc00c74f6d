"""Find where a schema path leads in a request, and put a value there."""

from __future__ import annotations

import copy
from typing import Any

from attrs import frozen

from conformance.pointer import pointer_to

from .sampler import NOTHING, Sampler
from .schema_tree import Node, Path

__all__ = ["Spot", "find", "get", "place", "pointer_text", "put", "remove"]

#: A concrete place in a JSON value: the keys and indices that lead to it.
Spot = tuple[Any, ...]


def get(value: Any, spot: Spot) -> Any:
    """The value at a spot; :data:`NOTHING` if there is none."""
    for key in spot:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return NOTHING
    return value


def put(value: Any, spot: Spot, new: Any) -> Any:
    """A copy with the value at ``spot`` replaced or added. The parents must exist."""
    if not spot:
        return new
    made = copy.copy(value)
    # An index just past the end appends.
    if isinstance(made, list) and spot[0] == len(made):
        made.append(None)
    # Only the containers on the way are copied; everything beside the spot is shared with the original.
    child = made[spot[0]] if isinstance(made, list) or spot[0] in made else None
    made[spot[0]] = put(child, spot[1:], new)
    return made


def remove(value: Any, spot: Spot) -> Any:
    """A copy without the value at ``spot``."""
    made = copy.copy(value)
    if len(spot) == 1:
        del made[spot[0]]
    else:
        made[spot[0]] = remove(made[spot[0]], spot[1:])
    return made


def pointer_text(spot: Spot) -> str:
    """A spot of a request as a JSON Pointer into the body: the leading ``body`` is left out."""
    return pointer_to(spot[1:])


def _step(node: Node, step: str) -> Node | None:
    """The node that one step of a path leads to, or None."""
    if step[0] == ".":
        return node.properties.get(step[1:])
    if step == "*":
        return node.items
    if step == "%":
        return node.extra
    index = int(step[1:])
    return node.branches[index] if index < len(node.branches) else None


def find(value: Any, node: Node, path: Path) -> tuple[Spot, int]:
    """How far a path leads in a value: (the spot reached, the number of steps walked).

    Among array items and branches the one that leads furthest is taken.
    """
    if not path:
        return (), 0
    child = _step(node, path[0])
    if child is None:
        return (), 0
    step, rest = path[0], path[1:]
    if step[0] == "|":
        # A value belongs to a branch only if it is valid there.
        if not child.fits(value):
            return (), 0
        spot, walked = find(value, child, rest)
        return spot, walked + 1
    if step[0] == ".":
        keys: list[Any] = [step[1:]] if isinstance(value, dict) and step[1:] in value else []
    elif step == "*":
        keys = list(range(len(value))) if isinstance(value, list) else []
    else:
        keys = [key for key in value if key not in node.properties] if isinstance(value, dict) else []
    best: tuple[Spot, int] = ((), 0)
    # Several items or names may match the step; the one that leads furthest wins.
    for key in keys:
        spot, walked = find(value[key], child, rest)
        if walked + 1 > best[1]:
            best = ((key, *spot), walked + 1)
        # No later item can lead further.
        if best[1] == len(path):
            break
    return best


@frozen
class Placed:
    """A request with a value in place, and the spot where it is."""

    request: Any
    spot: Spot


def place(request: Any, root: Node, path: Path, value: Any, sampler: Sampler) -> Placed | None:
    """Put ``value`` at ``path`` in a copy of ``request``; missing objects and arrays on the way are created.

    Return None if no fitting value for one of them was found.
    """
    spot, walked = find(request, root, path)
    node, name, parent = root, "", ""
    for step in path[:walked]:
        node = _step(node, step) or node
        if step[0] == ".":
            parent, name = name, step[1:]
    made = request
    for index in range(walked, len(path)):
        step = path[index]
        child = _step(node, step)
        if child is None:
            return None
        if step[0] != "|":
            if step[0] == "." and node.branches:
                made = put(made, spot, _holder(get(made, spot), node, (parent, name, step[1:]), sampler))
            made, key = _container(made, spot, node, step, sampler.value(node, name, parent))
            spot = (*spot, key)
            if step[0] == ".":
                parent, name = name, step[1:]
        # Anything but the last step needs a valid value to stand in; the last one is replaced by ``value`` below.
        if step[0] == "|" or index + 1 < len(path):
            fresh = sampler.value(child, name, parent)
            if fresh is NOTHING or (step[0] == "|" and not child.fits(fresh)):
                return None
            made = put(made, spot, copy.deepcopy(fresh))
        node = child
    return Placed(put(made, spot, value), spot)


def _holder(here: Any, node: Node, names: tuple[str, str, str], sampler: Sampler) -> Any:
    """An object of a union in which a property can be: ``here`` if it can be there, else one of another branch.

    ``names`` are those of the object's parent, of the object and of the property.
    """
    parent, name, key = names
    good = sampler.value(node.properties[key], key, name)
    others = (sampler.value(branch, name, parent) for branch in node.branches)
    for tried in (here, *others, {}):
        if isinstance(tried, dict) and node.fits({**tried, key: good}):
            return tried
    return here


def _container(made: Any, spot: Spot, node: Node, step: str, fresh: Any) -> tuple[Any, Any]:
    """The request with an object or array at ``spot`` that the step can enter, and the key or index to enter it by."""
    here = get(made, spot)
    wanted = list if step == "*" else dict
    if not isinstance(here, wanted):
        # The sampler's container has its required members; an empty one may be invalid.
        here = fresh if isinstance(fresh, wanted) else wanted()
        made = put(made, spot, here)
    if step[0] == ".":
        return made, step[1:]
    if step == "*":
        return made, 0
    open_keys = [key for key in here if key not in node.properties]
    return made, open_keys[0] if open_keys else "conformance"
