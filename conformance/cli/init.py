"""``init``: ask a target what it serves, and write a ``conformance.toml`` that runs."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from conformance.cli._starter import starter
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.errors import UsageError
from conformance.evidence.timeline import escaped
from conformance.settings.configuration import Config, load_config
from conformance.settings.options import Options, add_to, from_mapping
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec
from conformance.target.survey import Survey, Surveyed, survey

NAME = "init"
HELP = "ask a target what it serves and write a conformance.toml that runs; sends nothing that costs"
ORDER = 5

#: The kinds of authentication, with what the question says about each.
_AUTH = ("api-key", "bearer", "entra", "none")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_to(parser, "--target", "--api-version", "--specs", "--allow-plain-http")
    parser.add_argument("--auth", choices=_AUTH, default=None, help="how requests are authenticated (default api-key)")
    parser.add_argument(
        "--key-env", default=None, metavar="NAME", help="the environment variable with the key or token"
    )
    parser.add_argument(
        "--base-path", default=None, metavar="PATH", help='the path before the routes (default "/openai")'
    )
    parser.add_argument(
        "--deployment",
        action="append",
        default=None,
        metavar="NAME",
        help="ask for this deployment; repeatable (default: the models that the target lists, and usual names)",
    )
    parser.add_argument(
        "--write",
        type=Path,
        default=Path("conformance.toml"),
        metavar="FILE",
        help="the file (default conformance.toml)",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")


def main(args: argparse.Namespace) -> int:
    """Ask, write the file and say what was found. Raises :class:`UsageError` if there is nothing that can be judged."""
    if args.write.exists() and not args.force:
        raise UsageError("exists already", where=str(args.write), hint="--force replaces it, --write names another")
    options = from_mapping(vars(args))
    config = _config(args, options)
    specs = [load(name, options.specs) for name in options.api_versions or versions(options.specs)]
    names = args.deployment or [one.name for one in DEFAULT_DEPLOYMENTS]
    found = survey(config, specs, names, only=bool(args.deployment))
    found = _known(found)
    chosen = _chosen(found, specs)
    text = starter(config.target, found, chosen.missing)
    try:
        args.write.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror or error}", where=str(args.write)) from None
    # What was written must be what a run reads.
    load_config(args.write, {}, os.environ)
    if args.json:
        print(json.dumps(_plain(found, chosen, args.write), indent=1))
    else:
        _tell(found, chosen, args.write)
    return 0


def _config(args: argparse.Namespace, options: Options) -> Config:
    """The configuration to ask with, from options, the environment and questions."""
    asks = sys.stdin.isatty() and not options.target
    url, auth, key_env = options.target, args.auth, args.key_env
    if not url and not asks:
        raise UsageError("nobody to ask which target it is", hint="--target URL")
    if asks:
        url = _answer("URL of the target (such as https://name.openai.azure.com): ", bool)
        auth = auth or _answer(f"authentication, one of {', '.join(_AUTH)} [api-key]: ", _is_auth) or None
        if auth in (None, "api-key", "bearer"):
            key_env = key_env or _answer("environment variable with the key [AZURE_OPENAI_API_KEY]: ") or None
    overrides: dict[str, Any] = {
        "target.url": url,
        "target.auth": auth,
        "target.key_env": key_env,
        "target.base_path": args.base_path,
        "target.allow_http": True if options.allow_plain_http else None,
    }
    # The file that is about to be replaced has no say.
    config = load_config(os.devnull, overrides, os.environ)
    if config.target.auth in ("api-key", "bearer") and not (config.target.key or config.target.asks_for_tokens):
        hint = "put the key there, or name another variable with --key-env; --auth none for a target without keys"
        raise UsageError("holds no key", where=f"the environment variable {config.target.key_env}", hint=hint)
    return config


def _is_auth(text: str) -> bool:
    return text in ("", *_AUTH)


def _answer(question: str, fits: Callable[[str], bool] = lambda _text: True) -> str:
    """The answer to a question, asked again until it fits. Raises :class:`UsageError` at the end of the input."""
    while True:
        try:
            text = input(question).strip()
        except EOFError:
            raise UsageError("the questions were not answered", hint="--target URL asks none") from None
        if fits(text):
            return text


def _known(found: Survey) -> Survey:
    """What is known of our own emulator: its deployments can do more than requests without cost show."""
    if not found.emulated:
        return found
    can = {one.name: tuple(sorted(one.abilities)) for one in DEFAULT_DEPLOYMENTS}
    known = {name: can.get(name, words) for name, words in found.deployments.items()}
    return evolve(found, deployments=known, guessed=found.guessed - set(can))


def _chosen(found: Survey, specs: Sequence[Spec]) -> Surveyed:
    """The api-version that the file is written for: a default one that is served, else the one that serves most."""
    default = {spec.version for spec in specs if spec.default}
    served = [one for one in found.versions if one.served]
    return max(served, key=lambda one: (one.version in default, len(one.served)))


def _command(chosen: Surveyed, file: Path) -> str:
    """The command that begins with the cheapest run."""
    named = "" if file == Path("conformance.toml") else f" --config {shlex.quote(str(file))}"
    return f"aoai-conformance run{named} --api-version {chosen.version} --profile smoke"


def _plain(found: Survey, chosen: Surveyed, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "emulated": found.emulated,
        "requests": found.requests,
        "versions": {one.version: {"served": one.served, "missing": dict(one.missing)} for one in found.versions},
        "deployments": {name: list(words) for name, words in found.deployments.items()},
        "next": _command(chosen, file),
    }


def _tell(found: Survey, chosen: Surveyed, file: Path) -> None:
    """Print what was found, for people."""
    for one in found.versions:
        served = ", ".join(one.served) or "nothing"
        missing = f"; not served: {', '.join(one.missing)}" if one.missing else ""
        print(escaped(f"{one.version}: {served}{missing}"))
    for name, words in found.deployments.items():
        print(escaped(f"deployment {name}: {', '.join(words)}"))
    if not found.deployments:
        print("no deployment was found by name; --deployment NAME asks for one")
    who = "the emulator of this suite" if found.emulated else "taken to be somebody's live resource, and protected"
    print(f"the target is {who}; {found.requests} requests were sent, none of them costs tokens")
    print(f"written: {file}")
    print(f"next: {_command(chosen, file)}")
