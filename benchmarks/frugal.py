"""``python -m benchmarks.frugal [VERSION …]``: what each profile shows, and what that takes, as a table.

The numbers are those of ``profiles.toml``, which ``python tests/matrix --requests VERSION …`` computes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from conformance.requests.profile import Profile
from conformance.spec.choices import Kills, kills_of
from conformance.spec.loading import load, versions

__all__ = ["table"]

HEAD = "| version | profile | known defects shown | of what standard shows | requests | tokens at most |"


def table(wanted: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the table. A version of which nothing was computed has none."""
    yield HEAD
    yield "|---|---|---|---|---|---|"
    for version in wanted:
        spec = load(version)
        found = {profile: kills_of(spec, profile) for profile in (*Profile.CHOSEN, Profile.STANDARD)}
        whole = found[Profile.STANDARD]
        if whole is not None:
            yield from (_row(version, name, kills, whole) for name, kills in found.items() if kills is not None)


def _row(version: str, profile: str, kills: Kills, whole: Kills) -> str:
    shown = f"{kills.shown} of {kills.known} | {kills.shown / max(whole.shown, 1):.1%}"
    requests = f"{kills.requests} ({kills.requests / whole.requests:.1%})"
    tokens = f"{kills.tokens} ({kills.tokens / max(whole.tokens, 1):.1%})"
    return f"| {version} | {profile} | {shown} | {requests} | {tokens} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="frugal", description=str(__doc__).splitlines()[0])
    parser.add_argument("versions", nargs="*", default=list(versions()), metavar="VERSION")
    for line in table(parser.parse_args().versions):
        print(line)


if __name__ == "__main__":
    main()
