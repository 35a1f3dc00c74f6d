"""Documents as text for other tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

__all__ = ["as_json", "as_yaml"]

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def as_json(document: Mapping[str, Any]) -> str:
    """Indented JSON in the order of the document."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_yaml(document: Mapping[str, Any]) -> str:
    """YAML 1.1 in block style, in the order of the document, without aliases."""
    plain = json.loads(json.dumps(document))
    return str(yaml.dump(plain, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120))
