"""Pages of the documentation that are made when it is built: commands, configuration and checks from the code, outcomes
from the README.

``AOAI_DOCS_EXAMPLES=0`` leaves out the good and bad answers of the checks, which take about a minute.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from conformance.checks.catalogue import all_checks
from conformance.cli import parser
from conformance.cli.explain import example, rule
from conformance.run.example import examples_of
from conformance.settings.form import keys

#: The width of a line of help, whatever terminal the documentation is built in.
_WIDE = "96"


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages. A hook of MkDocs."""
    for name, text in pages():
        files.append(File.generated(config, name, content=text))
    return files


def pages() -> Iterator[tuple[str, str]]:
    """Yield (path, Markdown) of each page."""
    yield "commands.md", _commands()
    yield "configuration.md", _configuration()
    yield "outcomes.md", "# Outcomes and exit codes\n\n" + _section("What a verdict means")
    checks = all_checks()
    rows = [f"| [{id}]({id}.md) | {check.level} | {_cell(check.title)} |" for id, check in checks.items()]
    head = ["# Checks", "", "`aoai-conformance explain CHECK-ID` prints the page of a check.", ""]
    yield "checks/index.md", "\n".join([*head, "| check | level | what it demands |", "|---|---|---|", *rows]) + "\n"
    wanted = os.environ.get("AOAI_DOCS_EXAMPLES") != "0"
    found = examples_of(checks.values()) if wanted else {}
    for id, check in checks.items():
        parts = [f"# {id}", "", *_block(rule(check))]
        if wanted:
            # A rule that no plain request shows has its example from the command, which sends more.
            shown = example(check, found[id]) if id in found else iter([f"aoai-conformance explain {id}"])
            parts += ["", *_block(shown)]
        yield f"checks/{id}.md", "\n".join(parts) + "\n"


def _section(title: str) -> str:
    """The text of a section of the README, without its heading: such facts are told in one place."""
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0].strip()
    return section.replace("(docs/site/", "(") + "\n"  # a page here stands beside those it links to


def _block(lines: Iterator[str]) -> list[str]:
    """Lines as a block of code. What a target might answer with must not become Markdown."""
    return ["    " + line for text in lines for line in text.splitlines() or [""]]


def _cell(text: str) -> str:
    """A text as a cell of a table."""
    return text.replace("``", "`").replace("|", "\\|")


def _commands() -> str:
    """The help of every command, as the command line prints it."""
    os.environ["COLUMNS"] = _WIDE
    text = ["# Commands", "", "Every command prints this with `--help`.", ""]
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                text += [f"## {name}", "", *_block(iter(sub.format_help().splitlines())), ""]
    return "\n".join(text)


def _configuration() -> str:
    """Every key of the configuration file, from its JSON Schema."""
    text = [
        "# Configuration",
        "",
        "`conformance.toml` in the current folder, or the file of `--config`. `aoai-conformance init` writes one,",
        "`aoai-conformance config show` prints the values in force and where each comes from, and",
        "`aoai-conformance config schema` the JSON Schema, from which editors complete.",
        "",
        "An environment variable overrides the file, an option overrides both. A list is written with commas.",
        "",
        "| key | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, schema in keys().items():
        variable = "" if key in _FILE_ONLY else f"`AOAI_{key.upper().replace('.', '_')}`"
        default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
        meaning = _cell(schema.get("description") or schema.get("title", ""))
        text.append(f"| `{key}` | {variable} | {default} | {meaning} |")
    return "\n".join(text) + "\n"


#: Lists of tables, which no variable can hold.
_FILE_ONLY = ("waiver", "gateway.adds", "gateway.removes", "gateway.rewrites")
