"""JUnit: the headline of a run as properties. pytest itself writes the file, item by item."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from .headline import Headline

__all__ = ["add_headlines"]


def add_headlines(file: Path, headlines: Mapping[str, Headline]) -> None:
    """Add properties to the test suite of a finished JUnit file: ``<api-version>.conclusion`` and ``.coverage``.

    A file that is missing or isn't JUnit is left alone.
    """
    try:
        tree = ET.parse(file)  # noqa: S314 - pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        return
    suite = next(tree.iter("testsuite"), None)
    if suite is None:
        return
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    for version, first in headlines.items():
        for name, value in first.named():
            ET.SubElement(properties, "property", {"name": f"{version}.{name}", "value": value})
    tree.write(file, encoding="utf-8", xml_declaration=True)
