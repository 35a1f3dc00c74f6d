"""Documents as text for other tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from conformance.spec.textfile import SCALARS

__all__ = ["as_json", "as_yaml"]

if TYPE_CHECKING:
    from yaml import SafeDumper as _Base
else:
    _Base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):
    """Puts texts into quotes that YAML 1.1 or YAML 1.2 would take for something else."""


for _scalar in SCALARS:
    _Dumper.add_implicit_resolver(*_scalar)


def as_json(document: Mapping[str, Any]) -> str:
    """Indented JSON in the order of the document."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_yaml(document: Mapping[str, Any]) -> str:
    """YAML in block style, which YAML 1.1 and 1.2 read alike, in the order of the document, without aliases."""
    plain = json.loads(json.dumps(document))
    return str(yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
