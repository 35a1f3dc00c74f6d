"""Objects of the account that this run did not create: evidence keeps a hash of their id and their shape, nothing
else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Any

from conformance.evidence.exchange import Response
from conformance.requests.case import Case

__all__ = ["hidden_id", "hide_foreign"]

#: Fields with text of their owner. A word in them is never a member of an enum.
_FREE = ("name", "description", "instructions", "filename", "title", "text", "value", "content", "user", "model")

#: What a member of an enum looks like. It must stay, or the hidden answer would violate the schema.
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,31}")

#: The prefix of an id, such as ``file-``, by which schemas recognise its kind.
_PREFIX = re.compile(r"^[a-z]+[-_]")


def hidden_id(value: str) -> str:
    """An id that can be compared but not used: the prefix stays, the rest is hashed."""
    prefix = _PREFIX.match(value)
    return (prefix.group() if prefix else "") + hashlib.sha256(value.encode()).hexdigest()[:24]


def _shape(value: Any, key: str = "") -> Any:
    """The value with the same types, lengths and enum members, so that a schema judges it like the original."""
    match value:
        case dict():
            if key in ("metadata", "attributes", "parameters"):
                return {}
            return {name: _shape(item, name) for name, item in value.items()}
        case list():
            return [_shape(item, key) for item in value]
        case str() if key == "id" or key.endswith(("_id", "_ids")):
            return hidden_id(value)
        case str() if value.startswith(("http://", "https://")):
            return "https://hidden.invalid/"
        case str():
            return value if key not in _FREE and _WORD.fullmatch(value) else "x" * len(value)
        case _:
            return value


def hide_foreign(case: Case, response: Response, owned: Collection[str]) -> Response:
    """The answer of an account-wide list (no id of ours in its path) with the objects of others hidden."""
    if case.method != "GET" or "{" in case.path.replace("{deployment-id}", "") or not response.is_json:
        return response
    page = response.json
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        return response
    foreign = {
        item["id"]
        for item in page["data"]
        if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"] not in owned
    }
    if not foreign:
        return response
    data = [_shape(i) if isinstance(i, dict) and i.get("id") in foreign else i for i in page["data"]]
    edges = {key: hidden_id(page[key]) for key in ("first_id", "last_id") if page.get(key) in foreign}
    return response.with_json({**page, "data": data, **edges})
