"""The options of a run, defined once for the command line and for the pytest plugin.

Each row of :data:`ROWS` becomes an option of the command line (``--target``) and, with a prefix, of pytest
(``--aoai-target``). The prefix is needed because other plugins use the short names too (pytest-profiling has
``--profile``).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.requests.case import Family
from conformance.requests.profile import Profile
from conformance.settings.form import EXPENSIVE_KINDS

__all__ = ["ROWS", "Options", "Row", "add_to", "as_typed_in_pytest", "from_mapping", "keywords"]


@frozen
class Options:
    """The options of one run. An empty tuple means: everything. ``concurrency`` and ``repeat`` are 0 if not given."""

    target: str = ""
    api_versions: tuple[str, ...] = ()
    profile: str = Profile.STANDARD
    out: Path | None = None
    seed: int = 0
    concurrency: int = 0
    config: Path | None = None
    specs: Path | None = None
    checks: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    shard: str = ""
    shrink: int = 0
    repeat: int = 0
    baseline: Path | None = None
    expensive: tuple[str, ...] = ()
    allow_plain_http: bool = False
    cleanup_timeout: float = 30.0
    no_cache: bool = False
    selection: Mapping[str, Any] = field(factory=dict)


@frozen
class Row:
    """One option: its flag, kind of value and help. ``kind``: ``text``, ``list``, ``int``, ``float``, ``path`` or
    ``flag``.
    """

    flag: str
    kind: str
    help: str
    metavar: str = ""

    @property
    def name(self) -> str:
        """The attribute in which argparse and pytest keep the value."""
        return "aoai_" + self.flag.removeprefix("--").replace("-", "_")

    @property
    def pytest_flag(self) -> str:
        """The flag in pytest: ``--target`` is ``--aoai-target`` there."""
        return "--aoai-" + self.flag.removeprefix("--")


ROWS = (
    Row(
        "--target",
        "text",
        "URL of the target (scheme, host, port); default: that of the configuration, else the embedded emulator",
        "URL",
    ),
    Row("--api-version", "list", "only this api-version; repeatable (none: the default one of `list versions`)", "V"),
    Row("--profile", "text", f"how much to send: {', '.join(Profile.ALL)} (default {Profile.STANDARD})", "P"),
    Row("--out", "path", "folder of the run (default reports/out/<UTC time>)", "DIR"),
    Row("--seed", "int", "seed of everything that is chosen at random (default 0)", "N"),
    Row(
        "--concurrency",
        "int",
        "most requests at the same time (default 2, and 8 to an emulator; at least one for each process)",
        "N",
    ),
    Row("--config", "path", "configuration file (default conformance.toml, if it exists)", "FILE"),
    Row(
        "--specs",
        "path",
        "a folder with further api-versions; they replace those of the suite with the same name",
        "DIR",
    ),
    Row("--check", "list", "only the checks whose id matches this pattern (* for any text); repeatable", "GLOB"),
    Row("--operation", "list", "only the operations whose id matches this pattern; repeatable", "GLOB"),
    Row("--scenario", "list", "only the scenarios whose id matches this pattern; repeatable", "GLOB"),
    Row("--family", "list", f"only cases of these families: {', '.join(Family)}", "F"),
    Row(
        "--shard",
        "text",
        "only part k of n of the scenarios; caps of the budget and requests in flight are divided too; see: merge",
        "k/n",
    ),
    Row(
        "--baseline",
        "path",
        "folder of an earlier run; a failure that it has too is reported as waived and doesn't decide the conclusion",
        "DIR",
    ),
    Row("--shrink", "int", "requests to spend on finding a smaller failing request (default 0)", "N"),
    Row(
        "--repeat",
        "int",
        "judge each scenario with a failure or warning N times in all and say which verdicts are stable (default 1)",
        "N",
    ),
    Row(
        "--expensive",
        "list",
        f"allow this kind of expensive requests to a live target; repeatable: {', '.join(EXPENSIVE_KINDS)}",
        "NAME",
    ),
    Row("--allow-plain-http", "flag", "allow http:// to a target on another machine (the key travels in clear text)"),
    Row("--cleanup-timeout", "float", "seconds for removing at the end what was created (default 30)", "S"),
    Row("--no-cache", "flag", "derive the requests again instead of reading them from the cache, and don't store them"),
)


#: The most exchanges that may be in flight: each has a thread.
MOST_IN_FLIGHT = 1000

#: Seconds. The clocks of the operating system can't wait for some larger numbers.
_YEAR = 31_536_000


def as_typed_in_pytest(message: str) -> str:
    """A message about options of the command line, rewritten with their names in pytest."""
    names = "|".join(row.flag.removeprefix("--") for row in ROWS)
    return re.sub(rf"(?<![\w-])--({names})(?![\w-])", r"--aoai-\1", message)


def _number(convert: Callable[[str], Any], text: Any, row: Row, least: float, most: float) -> Any:
    """Convert a number. Raises :class:`UsageError` if it is none, too small, too large or not finite."""
    try:
        value = convert(text)
    except (TypeError, ValueError):
        raise UsageError(f"{row.flag} {text}: not a number") from None
    if not least <= value < float("inf"):  # not a number at all ("nan") fails both comparisons
        raise UsageError(f"{row.flag} {text}: must be at least {least:g}, and finite")
    if value > most:
        raise UsageError(f"{row.flag} {text}: must be at most {most}")
    return value


def from_mapping(given: Mapping[str, Any]) -> Options:
    """Options from parsed values by row name (None or empty if not given). Raises :class:`UsageError` for a bad
    value.
    """
    rows = {row.flag: row for row in ROWS}
    for row in ROWS:
        value = given.get(row.name)
        if value == "" or (isinstance(value, list) and "" in value):
            # An unset variable of a script must not turn "judge this target" into "judge the emulator".
            raise UsageError(f"{row.flag} is empty", hint="give a value, or leave the option out")

    def get(flag: str) -> Any:
        return given.get(rows[flag].name) or None

    def number(
        flag: str, kind: Callable[[Any], Any], otherwise: float, *, least: int = 0, most: float = float("inf")
    ) -> Any:
        # A zero that was given is a zero, not a missing value.
        value = given.get(rows[flag].name)
        return otherwise if value is None else _number(kind, value, rows[flag], least, most)

    profile = get("--profile") or Profile.STANDARD
    if profile not in Profile.ALL:
        raise UsageError(f"unknown profile {profile!r}", hint=f"one of {', '.join(Profile.ALL)}")
    families = tuple(get("--family") or ())
    for family in families:
        if family not in list(Family):
            raise UsageError(f"unknown family {family!r}", hint=f"one of {', '.join(Family)}")
    return Options(
        target=get("--target") or "",
        api_versions=tuple(dict.fromkeys(get("--api-version") or ())),
        profile=profile,
        out=_path(get("--out")),
        seed=number("--seed", int, 0),
        concurrency=number("--concurrency", int, 0, least=1, most=MOST_IN_FLIGHT),
        config=_path(get("--config")),
        specs=_path(get("--specs")),
        checks=tuple(get("--check") or ()),
        operations=tuple(get("--operation") or ()),
        scenarios=tuple(get("--scenario") or ()),
        families=families,
        shard=_shard(get("--shard")),
        shrink=number("--shrink", int, 0),
        repeat=number("--repeat", int, 0, least=1),
        baseline=_path(get("--baseline")),
        expensive=_kinds(get("--expensive") or ()),
        allow_plain_http=bool(get("--allow-plain-http")),
        cleanup_timeout=number("--cleanup-timeout", float, 30.0, most=_YEAR),
        no_cache=bool(get("--no-cache")),
        selection={row.flag: given[row.name] for row in ROWS if given.get(row.name) and row.flag in _SELECTS},
    )


def _kinds(names: Iterable[str]) -> tuple[str, ...]:
    """The allowed kinds of expensive requests. Raises :class:`UsageError` for an unknown one."""
    for name in names:
        if name not in EXPENSIVE_KINDS:
            raise UsageError(f"--expensive {name}: unknown kind", hint=f"one of {', '.join(EXPENSIVE_KINDS)}")
    return tuple(names)


def _shard(text: Any) -> str:
    """The text of a valid shard. Raises :class:`UsageError` for another one."""
    if not text:
        return ""
    from conformance.scenarios.shards import Shard

    Shard.parse(text)
    return str(text)


#: The options that leave out a part of the items; a report names them in its scope.
_SELECTS = ("--check", "--operation", "--scenario", "--family", "--shard")


def _path(text: Any) -> Path | None:
    return Path(text) if text else None


def add_to(parser: argparse.ArgumentParser, *flags: str) -> None:
    """Add all options, or those with the given flags, to an argparse parser."""
    for row in ROWS:
        if not flags or row.flag in flags:
            parser.add_argument(row.flag, **keywords(row))


def keywords(row: Row) -> dict[str, Any]:
    """The keyword arguments of an option for argparse and pytest. Values stay text, so that errors have our own
    messages.
    """
    if row.kind == "flag":
        return {"dest": row.name, "action": "store_true", "default": False, "help": row.help}
    action = "append" if row.kind == "list" else "store"
    return {"dest": row.name, "action": action, "default": None, "metavar": row.metavar, "help": row.help}
