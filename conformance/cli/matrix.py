"""``matrix FILE``: expand targets, api-versions, profiles, shards for an engine that runs them."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from conformance.cli import PROG
from conformance.settings.matrix import MatrixRun, runs_of
from conformance.spec.loading import load

NAME = "matrix"
HELP = "expand a matrix.toml of targets, api-versions, profiles and shards into commands, or jobs of a CI"
ORDER = 16


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the matrix, such as ci/matrix.toml")
    parser.add_argument(
        "--as",
        dest="form",
        choices=tuple(_FORMS),
        default="commands",
        help="lines for a shell; JSON for the matrix of a workflow of GitHub (shards, or merges); a pipeline of GitLab",
    )
    parser.add_argument("--specs", type=Path, default=None, metavar="DIR", help="a folder with further api-versions")


def main(args: argparse.Namespace) -> int:
    """Print. Raises :class:`ConfigError` for a bad file, :class:`UsageError` for an api-version that nobody knows."""
    runs = runs_of(args.file)
    for run in runs:
        load(run.api_version, args.specs)
    print("\n".join(_FORMS[args.form](runs)))
    return 0


def _shard(run: MatrixRun, k: int) -> list[str]:
    """The words of the command for one shard."""
    words = [PROG, "run", "--api-version", run.api_version, "--profile", run.profile]
    words += ["--target", run.url] if run.url else []
    words += ["--config", run.config] if run.config else []
    words += ["--shard", f"{k}/{run.shards}"] if run.shards > 1 else []
    return [*words, "--out", f"{run.name}/shard-{k}" if run.shards > 1 else run.name]


def _merge(run: MatrixRun) -> list[str]:
    shards = [f"{run.name}/shard-{k}" for k in range(1, run.shards + 1)]
    return [PROG, "merge", *shards, "--out", f"{run.name}/whole"]


def _commands(runs: Sequence[MatrixRun]) -> Iterator[str]:
    """One line for each shard, and one that merges where there are several."""
    for run in runs:
        yield from (shlex.join(_shard(run, k)) for k in range(1, run.shards + 1))
        if run.shards > 1:
            yield shlex.join(_merge(run))


def _row(run: MatrixRun) -> dict[str, object]:
    return {
        "run": run.name,
        "target": run.url,
        "config": run.config,
        "api_version": run.api_version,
        "profile": run.profile,
        "secret": run.secret,
        "shards": run.shards,
    }


def _github(runs: Sequence[MatrixRun]) -> Iterator[str]:
    """The jobs of all shards, in one line."""
    yield json.dumps({"include": [{**_row(run), "shard": k} for run in runs for k in range(1, run.shards + 1)]})


def _github_merge(runs: Sequence[MatrixRun]) -> Iterator[str]:
    """The jobs that merge, in one line: one for each run, also of a single shard."""
    yield json.dumps({"include": [_row(run) for run in runs]})


def _gitlab(runs: Sequence[MatrixRun]) -> Iterator[str]:
    """A child pipeline as JSON, which is YAML too: a job for each run, and a job that merges its shards."""
    jobs: dict[str, object] = {"stages": ["judge", "merge"]}
    for run in runs:
        words = shlex.join(word for word in _shard(run, 1) if word not in ("--shard", f"1/{run.shards}"))
        out = f"{run.name}/shard-1" if run.shards > 1 else run.name
        script = words.replace(out, f"{run.name}/shard-$CI_NODE_INDEX") if run.shards > 1 else words
        # The merge decides, so a shard with a failure ends well; what isn't a verdict (2, 70) ends the job.
        script += (
            ' --shard "$CI_NODE_INDEX/$CI_NODE_TOTAL" || { code=$?; [ $code = 1 ] || [ $code = 3 ]; }'
            if run.shards > 1
            else ""
        )
        common = {
            "image": "python:3.13-slim",
            "before_script": ["python -m pip install --quiet aoai-conformance"],
            "artifacts": {"when": "always", "paths": [run.name]},
        }
        parallel = {"parallel": run.shards} if run.shards > 1 else {}
        variables = {"variables": {"AZURE_OPENAI_API_KEY": f"${run.secret}"}}
        jobs[run.name] = {**common, "stage": "judge", "script": [script], **parallel, **variables}
        if run.shards > 1:
            merge = {**common, "stage": "merge", "when": "always", "needs": [run.name]}
            jobs[f"{run.name} merge"] = {**merge, "script": [shlex.join(_merge(run))]}
    yield json.dumps(jobs, indent=1)


_FORMS: Mapping[str, Callable[[Sequence[MatrixRun]], Iterator[str]]] = {
    "commands": _commands,
    "github": _github,
    "github-merge": _github_merge,
    "gitlab": _gitlab,
}
