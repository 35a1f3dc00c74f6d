"""Pages that are a table of reports: their style, policy and cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.evidence.timeline import visible

from .html import CODE, policy
from .row import SIGNS, Row, areas_of, counts_of

__all__ = ["rendered"]

_STYLE = Path(__file__).parent / "templates" / "table.css"


def rendered(template: str, columns: Sequence[Row], **values: Any) -> str:
    """HTML text of a template. ``columns`` are the rows whose areas are the columns of the table."""
    environment = Environment(
        # Texts of the target may contain markup; a misspelt name in the template must not become an empty text.
        loader=PackageLoader(__package__ or "reports"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(code_spans=CODE.split, counts=lambda cell: [*counts_of(cell)])
    style = _STYLE.read_text("utf-8").strip()
    known: dict[str, Any] = {
        "rows": columns,
        "names": areas_of(columns),
        "style": style,
        "policy": policy(f"<style>{style}</style>"),
        "signs": SIGNS,
    }
    text = environment.get_template(template).render({**known, **values})
    # Blank lines are what is left of the templates' own lines.
    return visible(re.sub(r"\n\s*\n+", "\n", text).lstrip())
