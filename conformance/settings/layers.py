"""Where values of the configuration come from: the file, the environment, options. The later layer wins."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import ConfigError
from conformance.settings.files import read_text
from conformance.settings.form import finite, from_text, is_table, keys, must_fit, plain

__all__ = ["LONGEST", "Layer", "nested", "read_layers"]

#: How the names of variables begin that set a key.
_PREFIXES = ("AOAI_TARGET", "AOAI_BUDGET", "AOAI_LIMITS", "AOAI_POLL", "AOAI_RUN_")

#: The most bytes of a configuration file.
LONGEST = 1_000_000


@frozen
class Layer:
    """The values that one place sets, by dotted name: a file, the environment, or options of a command."""

    name: str
    values: Mapping[str, Any] = field(repr=False)
    file: bool = False


def read_layers(path: Path | str | None, overrides: Mapping[str, Any], env: Mapping[str, str]) -> tuple[Layer, ...]:
    """The layers of a configuration; a later one wins. Parameters and errors are those of :func:`load_config`."""
    given = Path(path) if path is not None else Path("conformance.toml")
    layers = []
    # A file that was named must exist; the default one need not.
    if path is not None or given.is_file():
        layers.append(Layer(str(given), _file(given), file=True))
    options = {name: value for name, value in overrides.items() if value is not None}
    # Each is validated by itself, so that an error names the layer it comes from.
    for where, given_values in (("the environment", _from_environment(env)), ("an option", options)):
        read = {name: _meant(name, value) for name, value in given_values.items()}
        must_fit(nested(read), where)
        layers.append(Layer(where, read))
    return tuple(layers)


def _file(path: Path) -> dict[str, Any]:
    """The values of a file by dotted name. Raises :class:`ConfigError` if it can't be read or doesn't fit the
    schema.
    """
    where = str(path)
    try:
        # Some editors begin a file with a byte order mark, which TOML doesn't know.
        text = read_text(path, LONGEST).removeprefix("\ufeff")
        document = plain(tomllib.loads(text, parse_float=finite))
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", where=where) from None
    except RecursionError:
        raise ConfigError("is nested too deeply", where=where) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", where=where, hint="save it as UTF-8") from None
    except ValueError as error:  # what is no TOML, and a whole number that is too long for Python
        raise ConfigError(f"is not TOML: {error}", where=where) from None
    must_fit(document, where)
    return _flat(document)


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested tables by dotted name.

    Only keys that the schema names are taken apart: the keys inside ``target.headers`` are the user's.
    """
    found: dict[str, Any] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if name in keys():
            found[name] = value
        else:
            found |= _flat(value, f"{name}.")
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`_flat`: nested tables from dotted names."""
    made: dict[str, Any] = {}
    for name, value in flat.items():
        *tables, key = name.split(".")
        table = made
        for part in tables:
            table = table.setdefault(part, {})
        table[key] = value
    return made


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The values of ``AOAI_…`` variables by dotted name. Raises :class:`ConfigError` for a variable without a
    meaning.
    """
    names = {f"AOAI_{key}".upper().replace(".", "_"): key for key, held in keys().items() if not is_table(held)}
    for name in env:
        if name.startswith(_PREFIXES) and name not in (*names, "AOAI_TARGET"):
            # If AOAI_BUDGET_REQEUSTS were ignored, the run would have no limit at all.
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else "a key comes from target.key_env or target.key_file"
            raise ConfigError(f"unknown variable {name}", where="the environment", hint=hint)
    short = {"target.url": env["AOAI_TARGET"]} if "AOAI_TARGET" in env else {}
    return short | {key: env[name] for name, key in names.items() if name in env}


def _meant(name: str, value: Any) -> Any:
    """A value with the type that its key has: options and variables are text."""
    return from_text(value, keys().get(name, {})) if isinstance(value, str) else value
