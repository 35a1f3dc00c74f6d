"""``shard.json``: what the merge of shards must know besides their reports.

It is written when a shard begins and again when it ends, into the folder of each api-version. It holds no key and no
header of the configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from conformance import __version__
from conformance.errors import UsageError
from conformance.run.choice import Chosen
from conformance.run.ending import Ended
from conformance.run.known_failures import Baseline, KnownFailures
from conformance.run.opening import Opened
from conformance.run.recording import SHARD
from conformance.scenarios.shards import Shard
from conformance.settings.configuration import Budget, Config, Run, Target
from conformance.settings.options import Options
from conformance.settings.waivers import Waiver
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight

__all__ = ["ShardRecord", "as_written"]

#: The most bytes of such a file: it holds names and reasons.
_LARGEST = 8 << 20

#: The options that decide what is sent and judged. All shards of a run have the same.
_OPTIONS = ("profile", "seed", "concurrency", "checks", "operations", "scenarios", "families", "shrink", "repeat")

#: What a report tells of the configured target.
_TARGET = ("auth", "base_path", "live", "deterministic")


@contextmanager
def as_written(file: Path) -> Iterator[None]:
    """Raise :class:`UsageError` for content of a file that no shard writes."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError("is not what a shard writes", where=str(file), hint="run this shard again") from None


@frozen
class ShardRecord:
    """One shard at one api-version.

    ``whole`` is what all shards of a run have in common: versions, selection, configuration, known failures. ``url``,
    ``embedded`` and ``live`` say which target answered, ``found`` what its preflight showed. ``around`` are notes on
    the machine. On ``day`` it was decided which waivers hold. ``ended`` is None until the shard has ended.
    """

    shard: Shard
    api_version: str
    day: date
    whole: Mapping[str, Any]
    url: str
    embedded: bool
    live: bool
    found: Preflight
    around: tuple[str, ...] = ()
    ended: Ended | None = None

    @classmethod
    def of(cls, one: Opened, around: tuple[str, ...], ended: Ended | None) -> ShardRecord:
        """The record of an api-version of this process's run."""
        target, chosen = one.config.target, one.chosen
        return cls(
            shard=Shard.parse(chosen.options.shard),
            api_version=chosen.version,
            day=chosen.known.today,
            whole=json.loads(json.dumps(_whole(chosen))),
            url=target.url,
            embedded=one.embedded,
            live=target.protected,
            # No merge sends a request, so it needs no control request.
            found=evolve(one.found, control=None),
            around=around,
            ended=ended,
        )

    def write(self, folder: Path) -> None:
        """Write the file. Raises :class:`OSError` if that fails."""
        plain = {
            "shard": str(self.shard),
            "api_version": self.api_version,
            "day": self.day.isoformat(),
            "whole": self.whole,
            "url": self.url,
            "embedded": self.embedded,
            "live": self.live,
            "found": self.found.to_json(),
            "around": list(self.around),
            "ended": None if self.ended is None else self.ended.to_json(),
        }
        (folder / SHARD).write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def read(cls, file: Path) -> ShardRecord:
        """Read the file. Raises :class:`UsageError` if it can't be read or isn't what a shard writes."""
        try:
            with file.open("rb") as stream:
                content = stream.read(_LARGEST)
        except OSError as error:
            raise UsageError(f"can't be read: {error.strerror or error}", where=str(file)) from None
        with as_written(file):
            plain = json.loads(content)
            return cls(
                shard=Shard.parse(plain["shard"]),
                api_version=str(plain["api_version"]),
                day=date.fromisoformat(plain["day"]),
                whole={**plain["whole"]},
                url=str(plain["url"]),
                embedded=bool(plain["embedded"]),
                live=bool(plain["live"]),
                found=Preflight.from_json(plain["found"]),
                around=tuple(plain["around"]),
                ended=None if plain["ended"] is None else Ended.from_json(plain["ended"]),
            )

    def chosen(self, spec: Spec, specs: Path | None, day: date) -> Chosen:
        """What the whole run judges of this api-version, without a division. ``day`` decides which waivers hold.

        What it raises for values of a damaged file, :func:`as_written` tells.
        """
        told = self.whole
        picked: dict[str, Any] = {
            name: tuple(v) if isinstance(v := told["options"][name], list) else v for name in _OPTIONS
        }
        options = Options(
            specs=specs,
            api_versions=(spec.version,),
            selection=told["selection"],
            **picked,
        )
        deployments = {name: frozenset(words) for name, words in told["deployments"].items()}
        target = Target(**told["target"], deployments=deployments, unsupported=told["unsupported"])
        budget = Budget(**{**told["budget"], "expensive": frozenset(told["budget"]["expensive"])})
        waivers = tuple(Waiver(**{**one, "expires": date.fromisoformat(one["expires"])}) for one in told["waivers"])
        since = {(scenario, check): day for scenario, check, day in told["baseline"]["since"]}
        known = KnownFailures(
            spec.version,
            day,
            waivers,
            Baseline(**{**told["baseline"], "since": since}),
        )
        return Chosen(spec, options, Config(target, budget, run=Run(told["repeat"]), waivers=waivers), known)


def _whole(chosen: Chosen) -> dict[str, Any]:
    """What all shards of a run have in common, as JSON values."""
    options, config, known = chosen.options, chosen.config, chosen.known
    return {
        "suite": __version__,
        "spec_digest": chosen.spec.digest,
        "options": {name: getattr(options, name) for name in _OPTIONS},
        "selection": {flag: value for flag, value in options.selection.items() if flag != "--shard"},
        "target": {name: getattr(config.target, name) for name in _TARGET},
        "deployments": {name: sorted(words) for name, words in config.target.deployments.items()},
        "unsupported": dict(config.target.unsupported),
        "budget": {**asdict(config.budget), "expensive": sorted(config.budget.expensive)},
        "repeat": config.run.repeat,
        "waivers": [{**asdict(one), "expires": one.expires.isoformat()} for one in config.waivers],
        "baseline": {
            **asdict(known.baseline),
            "since": sorted([scenario, check, day] for (scenario, check), day in known.baseline.since.items()),
        },
    }
