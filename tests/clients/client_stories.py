"""The stories that clients tell: the tests of the modules ``test_*_client.py``, which need nothing but a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

__all__ = ["stories"]

_MODULES = sorted(
    path.stem for path in Path(__file__).parent.glob("test_*_client.py") if path.stem != "test_async_client"
)


def stories(version: str) -> Iterator[tuple[Callable[..., None], Mapping[str, Any]]]:
    """Yield each test of these modules that is for this version with the parameters to call it with, besides
    ``connect``.
    """
    for module in map(import_module, _MODULES):
        marks = getattr(module, "pytestmark", [])
        for name, function in vars(module).items():
            if name.startswith("test_"):
                own = [*(marks if isinstance(marks, list) else [marks]), *getattr(function, "pytestmark", [])]
                choices = {mark.args[0]: mark.args[1] for mark in own if mark.name == "parametrize"}
                if version in choices["version"]:
                    choices["version"] = [version]
                    for values in product(*choices.values()):
                        yield function, dict(zip(choices, values, strict=True))
