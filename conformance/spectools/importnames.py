"""Names of imported operations: the operationId of a known one, or a new one from the path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from conformance.spec.openapi import METHODS
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.spectools.document_rules import route

__all__ = ["base_and_path", "known_names", "made_name", "parameter_names", "renamed", "templates_of"]

_PARAMETER = re.compile(r"\{([^}]*)\}")


def known_names(specs: tuple[Spec, ...]) -> Mapping[tuple[str, str], tuple[str, str]]:
    """(method, path without parameter names) → (operationId, resource) of all known versions. The first version
    counts.
    """
    names: dict[tuple[str, str], tuple[str, str]] = {}
    for spec in specs:
        for path, item in spec.document["paths"].items():
            for method in METHODS:
                if method in item:
                    found = (item[method]["operationId"], item[method]["tags"][0])
                    names.setdefault(route(path, method), found)
    return names


def templates_of(operations: Iterable[Operation]) -> Mapping[str, str]:
    """Path with unnamed parameters → path with the names that a known version gives them; beginnings of paths too.

    A beginning ends in a parameter: below ``/threads/{thread_id}`` an unknown path takes its first name from there.
    """
    found: dict[str, str] = {}
    for operation in operations:
        segments = operation.path.split("/")
        for count, segment in enumerate(segments, 1):
            if _PARAMETER.fullmatch(segment):
                path = "/".join(segments[:count])
                found.setdefault(_PARAMETER.sub("{}", path), path)
    return found


def parameter_names(path: str, templates: Mapping[str, str]) -> Mapping[str, str]:
    """Name in the path → our name, for each parameter of a path.

    Names of parameters are not sent; the same object must have the same name everywhere, because requests are made of
    what other requests created. Unknown ones are written like ours: ``{threadId}`` becomes ``thread_id``, and ``{id}``
    below ``/gadgets`` becomes ``gadget_id``.
    """
    names: dict[str, str] = {}
    segments = path.split("/")
    for count, segment in enumerate(segments, 1):
        found = _PARAMETER.fullmatch(segment)
        if found is None:
            # A parameter that is a part of a segment keeps its name.
            names.update((name, name) for name in _PARAMETER.findall(segment))
            continue
        known = templates.get(_PARAMETER.sub("{}", "/".join(segments[:count])), "").rpartition("/")[2][1:-1]
        made = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", found[1]).lower()
        if made == "id" and count > 1:
            made = f"{_word(segments[count - 2]).removesuffix('s')}_id"
        name = known or made
        while name in names.values():
            name += "_"
        names[found[1]] = name
    return names


def renamed(path: str, names: Mapping[str, str]) -> str:
    """The path with other names for its parameters."""
    return _PARAMETER.sub(lambda found: "{" + names[found[1]] + "}", path)


def made_name(path: str, method: str, taken: set[str]) -> tuple[str, str]:
    """(operationId, resource) of an unknown operation, by the pattern of the known ones."""
    segments = [segment for segment in route(path, method)[1].split("/") if segment]
    words = [_word(segment) for segment in segments if segment != "{}"] or ["root"]
    ends_in_parameter = bool(segments) and segments[-1] == "{}"
    after_parameter = len(segments) > 1 and segments[-2] == "{}" and not ends_in_parameter
    if method in ("get", "post") and after_parameter and not words[-1].endswith("s"):
        *words, verb = words
    else:
        verb = {
            "get": "get" if ends_in_parameter else "list",
            "post": "modify" if ends_in_parameter else "create",
            "put": "replace",
            "patch": "modify",
        }.get(method, method)
    name = ".".join([*words, verb]) if words else f"root.{verb}"
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique, words[0] if words else "root"


def _word(segment: str) -> str:
    """A path segment as one word of an operationId."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", segment).lower()
    text = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    return text if text[:1].isalpha() else f"x_{text}"


def base_and_path(server: str) -> str:
    """The path of a server URL without a slash at its end: ``https://{endpoint}/openai`` → ``/openai``."""
    rest = re.sub(r"^[a-z][a-z0-9+.-]*://", "", server, flags=re.IGNORECASE)
    if rest.startswith("/"):
        return rest.rstrip("/")
    _, slash, path = rest.partition("/")
    return f"/{path}".rstrip("/") if slash else ""
