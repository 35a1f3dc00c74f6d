"""A request as it is sent over the network."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from attrs import frozen

from conformance.requests.headers import Headers, first_value
from conformance.requests.pickled import fields_of

__all__ = ["Request"]


@frozen(slots=False)
class Request:
    """A request as it is sent. ``url`` is absolute; ``body`` is the content without framing."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    __getstate__ = fields_of

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return first_value(self.headers, name)

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is empty or isn't JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            return None
