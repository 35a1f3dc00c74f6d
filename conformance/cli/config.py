"""``config show``: the values in force and where each comes from. ``config schema``: the JSON Schema of the file."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.timeline import escaped
from conformance.redaction import REDACTED
from conformance.settings.configuration import load_config
from conformance.settings.form import SCHEMA, keys, plain
from conformance.settings.layers import Layer, read_layers
from conformance.settings.options import add_to, from_mapping

NAME = "config"
HELP = "show the configuration in force and where each value comes from, or print its JSON Schema"
ORDER = 25

#: Keys whose values may be secrets.
_SECRET = ("target.headers",)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("what", choices=("show", "schema"), help="the values in force, or the JSON Schema of the file")
    add_to(parser, "--config", "--target", "--allow-plain-http", "--repeat")
    parser.add_argument("--json", action="store_true", help="print a JSON array with one object for each key")


def main(args: argparse.Namespace) -> int:
    """Print. Raises :class:`ConfigError` for a configuration that a run would refuse too."""
    if args.what == "schema":
        print(SCHEMA.read_text("utf-8"), end="")
        return 0
    options = from_mapping(vars(args))
    overrides: dict[str, Any] = {"target.url": options.target or None, "run.repeat": options.repeat or None}
    if options.allow_plain_http:
        overrides["target.allow_http"] = True
    load_config(options.config, overrides, os.environ)  # what a run refuses is refused here
    rows = list(_rows(read_layers(options.config, overrides, os.environ)))
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    width = max(len(row["key"]) for row in rows)
    for row in rows:
        value = json.dumps(row["value"], ensure_ascii=False)
        print(escaped(f"{row['key'].ljust(width)}  {value}   ({row['from']})"))
    return 0


def _rows(layers: Sequence[Layer]) -> Iterator[Mapping[str, Any]]:
    """Yield key, value and origin of every key that has a value, in the order of the schema."""
    for key, schema in keys().items():
        setting = [layer for layer in layers if key in layer.values]
        if setting:
            value, origin = setting[-1].values[key], setting[-1].name
        elif "default" in schema:
            value, origin = schema["default"], "default"
        else:
            continue
        if key in _SECRET:
            value = dict.fromkeys(value, REDACTED)
        yield {"key": key, "value": plain(value), "from": origin}
