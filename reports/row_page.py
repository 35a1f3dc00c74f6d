"""Pages that are a table of reports: their style, policy and cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.evidence.timeline import visible

from .row import SIGNS, Row, areas_of, counts_of
from .templating import environment

__all__ = ["rendered"]

_STYLE = Path(__file__).parent / "templates" / "table.css"


def rendered(template: str, columns: Sequence[Row], **values: Any) -> str:
    """HTML text of a template. ``columns`` are the rows whose areas are the columns of the table."""
    style = _STYLE.read_text("utf-8").strip()
    known: dict[str, Any] = {
        "rows": columns,
        "names": areas_of(columns),
        "style": style,
        "signs": SIGNS,
        "counts": counts_of,
    }
    text = environment().get_template(template).render({**known, **values})
    # Blank lines are what is left of the templates' own lines.
    return visible(re.sub(r"\n\s*\n+", "\n", text).lstrip())
