"""All exceptions of this suite, and whose mistake each one reports.

::

    ConformanceError
    ├── UsageError            a mistake of the caller: options, configuration (exit 2)
    │   ├── ConfigError       a configuration file: names file, key and what is expected
    │   └── SpecError         a spec folder: names file, line and key
    ├── TargetError           the target's: nothing can be judged (exit 3)
    │   └── Unreachable       no connection, name not found, TLS failure
    ├── GuardError            a request that this suite refuses to send (exit 70: a bug of this suite)
    └── HarnessError          any other bug of this suite (exit 70)

Each has a message (what happened), a place (where) and a hint (what to do).
"""

from __future__ import annotations

import errno
from typing import ClassVar

from conformance.redaction import PROCESS

__all__ = [
    "ConfigError",
    "ConformanceError",
    "GuardError",
    "HarnessError",
    "SpecError",
    "TargetError",
    "Unreachable",
    "UsageError",
    "outside",
]


class ConformanceError(Exception):
    """The root of all exceptions. ``str()`` gives one line: place, message, hint."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        # Secrets are taken out here, so that no way of showing an exception can show one.
        self.message, self.where, self.hint = (PROCESS.text(text) for text in (message, where, hint))
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{advice}"


#: What the operating system says when not this suite but the machine or its owner is in the way.
_OUTSIDE = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ENOSPC", "ENOTDIR", "EPERM", "EROFS")
    if hasattr(errno, name)
)


def outside(error: BaseException) -> str:
    """What to tell of an error of the operating system that is no bug of this suite, such as a full disk; else ""."""
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error.strerror):
        return f"{error.strerror}: is the disk full?"  # what Python says where it can write nowhere
    if not isinstance(error, OSError) or error.errno not in _OUTSIDE:
        return ""
    place = f"{error.filename}: " if error.filename else ""
    return PROCESS.text(f"{place}{error.strerror}")


class UsageError(ConformanceError):
    """The caller asked for something that can't be done as asked."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration value is unknown, misplaced or of the wrong form."""


class SpecError(UsageError):
    """A spec folder can't be read as an api-version."""


class TargetError(ConformanceError):
    """The target can't be judged at all."""

    exit_code = 3


class Unreachable(TargetError):  # noqa: N818 - what the target is, and the word for it
    """No connection to the target could be made."""


class GuardError(ConformanceError):
    """A request broke a rule that protects the target's owner; it was not sent."""


class HarnessError(ConformanceError):
    """A bug of this suite."""
