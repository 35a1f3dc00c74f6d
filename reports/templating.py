"""How the pages are made of the templates in ``templates``."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from .policy import policy

__all__ = ["environment"]

#: What docstrings of checks (by two backticks) and sentences on a change (by one) mark as code. Every second part of a
#: text that is split by it is code.
_CODE = re.compile(r"`{1,2}([^`\n]+)`{1,2}")


@cache
def environment() -> Environment:
    """The templates, with two filters.

    ``code_spans``: a text → pieces of prose and of code in turn. ``policy``: the style of a page without a script → its
    Content-Security-Policy.
    """
    made = Environment(
        # Texts of the target may contain markup; a misspelt name in the template must not become an empty text.
        loader=PackageLoader(__package__ or "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["code_spans"] = _CODE.split
    made.filters["policy"] = lambda style: policy(f"<style>{style}</style>")
    return made
