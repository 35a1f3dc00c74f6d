"""Content-filter annotations in the service's form. The emulator rates everything as safe.

A version that documents no annotations, or fewer categories, gets only what it documents: the answer's shape decides.
"""

from __future__ import annotations

from typing import Any

__all__ = ["for_choice", "for_image", "for_prompt", "prompts"]


def _severities() -> dict[str, Any]:
    """The four categories that have a severity."""
    return {
        category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")
    }


def for_choice() -> dict[str, Any]:
    """Annotations of generated text."""
    return _severities() | {
        "protected_material_text": {"filtered": False, "detected": False},
        "protected_material_code": {"filtered": False, "detected": False},
    }


def for_prompt() -> dict[str, Any]:
    """Annotations of a prompt."""
    return _severities() | {"jailbreak": {"filtered": False, "detected": False}}


def for_image() -> dict[str, Any]:
    """Annotations of a generated image."""
    return _severities()


def prompts(many: int = 1) -> list[dict[str, Any]]:
    """The ``prompt_filter_results`` for this number of prompts."""
    return [{"prompt_index": index, "content_filter_results": for_prompt()} for index in range(many)]
