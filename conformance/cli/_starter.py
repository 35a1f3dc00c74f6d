"""The text of a first ``conformance.toml``, from what a target was found to serve."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap

from conformance.settings.configuration import Target
from conformance.settings.form import CAPABILITIES
from conformance.target.survey import Survey

__all__ = ["starter"]


def starter(target: Target, found: Survey, missing: Mapping[str, str]) -> str:
    """A configuration with comments. ``missing`` holds, for each resource that isn't served, why.

    Whether the target is live stands in a comment: its owner decides that.
    """
    lines = [*_target(target, live=not found.emulated), *_deployments(found), *_unsupported(missing), *_rest()]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _target(target: Target, *, live: bool) -> Iterator[str]:
    yield "# Written by `aoai-conformance init`. `aoai-conformance config show` prints all values in force."
    yield ""
    yield "[target]"
    yield f"url = {_text(target.url)}"
    yield '# How requests are authenticated: "api-key", "bearer", "entra" or "none".'
    yield f"auth = {_text(target.auth)}"
    if target.auth in ("api-key", "bearer"):
        yield "# The environment variable that holds the key; the key itself never stands here."
        yield f"key_env = {_text(target.key_env)}"
    if target.base_path is not None:
        yield f"base_path = {_text(target.base_path)}"
    if target.allow_http:
        yield "allow_http = true"
    yield "# true: somebody's resource, which is protected; false: an emulator or a test system, everything is sent."
    yield f"# live = {'true' if live else 'false'}"
    yield ""


def _deployments(found: Survey) -> Iterator[str]:
    yield "# What each deployment can do. A request is sent only to one that lists all it needs: add what yours can."
    yield "# The words (aoai-conformance list capabilities explains them):"
    yield from (f"#   {line}" for line in wrap(", ".join(CAPABILITIES), 110, break_on_hyphens=False))
    if not found.deployments:
        # An empty table would mean the deployments of the emulator.
        yield "# No deployment was found. Name yours here, or ask for them: init --deployment NAME"
        yield "# [target.deployments]"
        yield '# my-gpt4o = ["chat"]'
    else:
        yield "[target.deployments]"
    for name, words in found.deployments.items():
        guess = "   # by its name: the target answered requests of several kinds" if name in found.guessed else ""
        yield f"{_text(name)} = [{', '.join(map(_text, words))}]{guess}"
    yield ""


def _unsupported(missing: Mapping[str, str]) -> Iterator[str]:
    yield "# What the target doesn't serve, with the reason. It is neither sent nor judged, and every report says so."
    yield "[target.unsupported]"
    yield from (
        f"{_text(resource + '.*')} = {_text(f'not there when init asked: {why}')}" for resource, why in missing.items()
    )
    yield ""


def _rest() -> Iterator[str]:
    yield "# Hard caps of a run, over all its api-versions and processes."
    yield "[budget]"
    yield "requests = 20000"
    yield "wall_seconds = 7200"
    yield "# tokens = 200000"
    yield "# Kinds of expensive requests that a live target gets only if they are named here:"
    yield '# expensive = ["images"]'
    yield ""
    yield "# A known failure that doesn't decide the conclusion until its date:"
    yield "# [[waiver]]"
    yield '# check = "embeddings.count"'
    yield '# operation = "embeddings.create"'
    yield '# owner = "ann"'
    yield '# reason = "fixed in the next release"'
    yield "# expires = 2026-12-31"
