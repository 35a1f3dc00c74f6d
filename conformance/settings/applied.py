"""The configuration of a run with its options applied."""

from __future__ import annotations

import os
from typing import Any

from attrs import evolve

from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.settings.configuration import Config, load_config
from conformance.settings.options import Options

__all__ = ["configured"]


def configured(options: Options) -> Config:
    """The configuration with the options applied, and with default deployments if none are configured."""
    overrides: dict[str, Any] = {"target.url": options.target or None, "run.repeat": options.repeat or None}
    if options.allow_plain_http:
        overrides["target.allow_http"] = True
    config = load_config(options.config, overrides, os.environ)
    if options.expensive:
        allowed = config.budget.expensive | frozenset(options.expensive)
        config = evolve(config, budget=evolve(config.budget, expensive=allowed))
    if not config.target.deployments:
        named = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
        config = evolve(config, target=evolve(config.target, deployments=named))
    return config
