"""``cleanup``: remove the objects that interrupted runs left, and only those that their journals name."""

from __future__ import annotations

import argparse

from attrs import evolve

from conformance.errors import ConformanceError
from conformance.run.choice import configured
from conformance.settings.options import add_to, from_mapping
from conformance.spec.loading import load
from conformance.target.journal import Journal, default_folder
from conformance.target.recovery import recover
from conformance.target.target import Target

NAME = "cleanup"
HELP = "remove the objects that interrupted runs left, as their journals name them"
ORDER = 80


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_to(parser, "--target", "--config", "--specs", "--allow-plain-http", "--cleanup-timeout")


def main(args: argparse.Namespace) -> int:
    """Remove the objects and print what is left. The exit code is 0 if nothing is left, else 3."""
    options = from_mapping(vars(args))
    config = configured(options)
    url = config.target.url.rstrip("/")

    def open_target(journal: Journal) -> Target | None:
        """The target of an entry if it is the configured one or on this machine; None for any other, which stays
        untouched.
        """
        chosen = evolve(config, target=evolve(config.target, url=journal.target))
        if url and url != journal.target.rstrip("/"):
            return None
        if not url and not chosen.target.loopback:
            return None
        try:
            return Target(chosen, load(journal.api_version, options.specs), journal=journal)
        except ConformanceError:
            return None

    left = 0
    found = recover((default_folder(),), open_target, options.cleanup_timeout)
    for item in found:
        left += len(item.cleaned.left)
        line = f"{item.journal.name}: {item.cleaned.removed} removed, {len(item.cleaned.left)} left"
        if item.cleaned.unknown:
            line += f", {item.cleaned.unknown} creates that never got an answer"
        print(line + (f" ({item.reason})" if item.reason else ""))
        for one in item.cleaned.left:
            print(f"  left: {one.text}")
        for one in item.cleaned.staying:
            print(f"  stays: {one.text}")
    if not found:
        print("nothing to remove: no journal of an interrupted run")
    return 3 if left else 0
