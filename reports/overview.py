"""The page that links the reports of all api-versions of one run."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from conformance.evidence.timeline import visible

from .headline import Headline
from .html import policy

__all__ = ["NAME", "page"]

NAME = "index.html"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Conformance run</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
</style>
</head><body><h1>Conformance run</h1>
<ul>
{rows}
</ul></body></html>
"""


def page(headlines: Mapping[str, Headline]) -> str:
    """HTML text: for each api-version a link to its report, its conclusion and how much was judged."""
    rows = (
        f'<li><a href="{escape(version)}/index.html">{escape(version)}</a>: {escape(first.text)}'
        + "".join(
            f"<br><small>{escape(line)}</small>"
            for line in filter(None, (*first.outdated, *first.coverage, first.unstable))
        )
        + "</li>"
        for version, first in headlines.items()
    )
    page = _PAGE.format(rows="\n".join(rows), policy="{policy}")
    return visible(page.replace("{policy}", escape(policy(page), quote=True), 1))
