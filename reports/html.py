"""HTML: the report as one self-contained page.

The page holds three things: a summary that can be read without a script, the data of the run, compressed
(``page_index.py``, ``page_evidence.py``), and the script that shows them, which is built from ``frontend/`` and checked
in as ``templates/page.js`` and ``templates/page.css``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from conformance.evidence.timeline import visible

from .failure import explain
from .headline import headline
from .jsonl import Report
from .page_evidence import Parts, packed
from .page_index import examples_of, index, named_by, quoted_by
from .policy import policy
from .root_causes import RootCause, root_causes
from .summary import summarise
from .templating import environment

__all__ = ["NAME", "pieces", "render"]

NAME = "index.html"

#: The causes and the verdicts of each list that the summary without a script shows. What is left out is counted.
CAUSES, LISTED = 50, 300

_TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report, run_dir: str) -> str:
    """HTML text."""
    return "".join(pieces(report, run_dir))


def pieces(report: Report, run_dir: str) -> Iterator[str]:
    """The page in pieces: of a long run it has more text than should be in memory at once."""
    style, script = _built("page.css"), _built("page.js")
    causes = root_causes(report)
    shown = examples_of(report, causes)
    parts = Parts(report, run_dir, frozenset(shown.values()), named_by(report.verdicts), quoted_by(report.verdicts))

    def packed_index() -> str:
        # Called when all parts are written: only then is it known where each exchange is.
        return packed(index(report, causes, shown, parts))

    made = (
        environment()
        .get_template("index.html.j2")
        .generate(
            policy=policy(f"<style>{style}</style><script>{script}</script>"),
            style=style,
            script=script,
            header=report.header,
            footer=report.footer,
            first=headline(report),
            summary=summarise(report),
            causes=causes,
            told=[(cause, _explained(report, cause, run_dir)) for cause in causes[:CAUSES]],
            listed=LISTED,
            parts=parts.made(),
            index=packed_index,
        )
    )
    # What a target sent could reorder the text around it, so that a reader sees something else than what is there.
    yield from map(visible, made)


@cache
def _built(name: str) -> str:
    """A file that was built from ``frontend/``, without the line break at its end."""
    return (_TEMPLATES / name).read_text("utf-8").strip()


def _explained(report: Report, cause: RootCause, run_dir: str) -> Iterable[str]:
    """The lines that explain the first verdict of a cause, without its first line, which repeats the heading."""
    verdict = cause.verdicts[0]
    trace = report.traces[verdict.evidence]
    lines = explain(verdict, trace, report.header["checks"], run_dir=run_dir, auth=report.header["target"]["auth"])
    return [*lines]
