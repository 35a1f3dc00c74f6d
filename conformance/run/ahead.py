"""The embedded emulator of a run, started before the run itself is loaded: both take half a second, each on a processor
of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from conformance.emulator.behaviour import Settings
from conformance.emulator.process import starting
from conformance.settings.applied import configured
from conformance.settings.options import Options
from conformance.spec.loading import default_versions
from conformance.spec.shipped import specs_dir

__all__ = ["Ahead", "ahead", "embedded"]


@frozen
class Ahead:
    """An emulator of one api-version that starts: ``url`` waits for it. It ends with ``running``, unless somebody takes
    it over.
    """

    version: str
    key: str
    url: Callable[[], str]
    running: ExitStack

    def taken(self, stack: ExitStack) -> Ahead:
        """The same, which ends with ``stack`` from now on."""
        stack.enter_context(self.running.pop_all())
        return self


def embedded(version: str, folder: Path | None, stack: ExitStack) -> Ahead:
    """Start the emulator of a version; it ends with ``stack``."""
    key = secrets.token_urlsafe(24)
    running = stack.enter_context(ExitStack())
    url = running.enter_context(starting([version], settings=Settings(key=key), folder=folder, steps=True))
    return Ahead(version, key, url, running)


@contextmanager
def ahead(options: Options) -> Iterator[Ahead | None]:
    """Start the emulator of the first api-version, if the options and the configuration name no target.

    Raises :class:`ConfigError` for a configuration that can't be read. A version that isn't the suite's own is left to
    the run: it may be unknown or have mistakes, and the run has the words for that.
    """
    with ExitStack() as stack:
        names = options.api_versions or default_versions(options.specs)
        # Of several versions, the first may have nothing that was chosen.
        alone = names[0] if len(names) == 1 and not options.specs else ""
        known = bool(alone) and Path(alone).name == alone and (specs_dir() / alone / "version.toml").is_file()
        if not known or configured(options).target.url:
            yield None
        else:
            yield embedded(alone, None, stack)
