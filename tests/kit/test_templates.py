"""The templates for CI: they fit the published schemas, and what they run does what they say."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from served import command, environment
from whole_run import KEY, serving

from conformance.cli import parser
from conformance.errors import ConfigError
from conformance.settings.matrix import runs_of

KIT = Path(__file__).resolve().parents[2] / "ci"
VERSION = "2024-06-01"

#: The published schema of each template. Those of Kubernetes are held against its own in ``tox run -e image``.
SCHEMAS = {
    "github/matrix.yml": "github-workflows",
    "github/nightly.yml": "github-workflows",
    "github/action.yml": "github-actions",
    "gitlab.yml": "gitlab-ci",
    "compose.yml": "compose-spec",
}


@pytest.mark.skipif(importlib.util.find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
@pytest.mark.parametrize("name", SCHEMAS)
def test_it_fits_the_published_schema(name: str) -> None:
    extra = ["--data-transform", "gitlab-ci"] if SCHEMAS[name] == "gitlab-ci" else []
    words = ["--builtin-schema", f"vendor.{SCHEMAS[name]}", *extra, str(KIT / name)]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def scripts() -> Iterator[tuple[str, str]]:
    """Each template that holds commands, with its text."""
    for file in sorted(KIT.rglob("*")):
        if file.is_file():
            yield file.relative_to(KIT).as_posix(), file.read_text("utf-8")


@pytest.mark.parametrize(("name", "text"), list(scripts()), ids=[name for name, _ in scripts()])
def test_it_names_commands_and_options_that_exist(name: str, text: str) -> None:
    known = parser()
    (commands,) = (action.choices for action in known._actions if isinstance(action.choices, dict))
    for word, rest in re.findall(r"aoai-conformance (run|merge|cleanup|site|matrix|serve)\b([^\n]*)", text):
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest)) <= set(
            re.findall(r"(?<![\w-])--[a-z][a-z-]+", commands[word].format_help())
        )


def test_the_indexed_job_has_as_many_shards_as_pods() -> None:
    claim, shards, merge = yaml.safe_load_all((KIT / "kubernetes.yml").read_text())
    (pod,) = shards["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") for one in pod["env"]}
    assert str(shards["spec"]["completions"]) == told["AOAI_SHARDS"]
    assert ("Indexed", ["shard.sh"]) == (shards["spec"]["completionMode"], pod["command"])
    assert {claim["metadata"]["name"]} == {
        volume["persistentVolumeClaim"]["claimName"]
        for job in (shards, merge)
        for volume in job["spec"]["template"]["spec"]["volumes"]
    }


def test_the_script_of_the_indexed_job_judges_the_whole_run_in_n_processes(tmp_path: Path) -> None:
    """As the pods do: each gets its index; one command merges. A verdict is no failure of a pod, a mistake is."""
    shards = 3
    env = environment(tmp_path, AOAI_SHARDS=str(shards), AZURE_OPENAI_API_KEY=KEY)
    env |= {"AOAI_CONFORMANCE": f"{sys.executable} -m conformance"}

    def pod(index: int, *more: str) -> int:
        words = ["sh", str(KIT / "shard.sh"), str(tmp_path), "--api-version", VERSION, "--profile", "smoke", *more]
        return subprocess.run(
            words, env={**env, "JOB_COMPLETION_INDEX": str(index)}, cwd=tmp_path, capture_output=True, check=False
        ).returncode

    with serving(VERSION) as (url, _), ThreadPoolExecutor(shards) as pool:
        assert [0] * shards == list(pool.map(lambda index: pod(index, "--target", url), range(shards)))
        assert 2 == pod(0, "--target", "nonsense")
    done = command(tmp_path, "merge", str(tmp_path), "--out", str(tmp_path / "whole"))
    assert (0, "") == (done.code, done.err)


def matrix(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "matrix.toml"
    file.write_text(text)
    return file


def test_a_matrix_expands_to_every_target_version_profile_and_shard(tmp_path: Path) -> None:
    file = str(KIT / "matrix.toml")
    lines = command(tmp_path, "matrix", file).out.splitlines()
    runs = runs_of(KIT / "matrix.toml")
    assert 3 == len(runs)
    assert sum(run.shards + (run.shards > 1) for run in runs) == len(lines)
    for line in lines:
        words = line.split()[1:]
        parser(words[0]).parse_args(words)
    jobs = json.loads(command(tmp_path, "matrix", file, "--as", "github").out)["include"]
    assert [(run.name, k) for run in runs for k in range(1, run.shards + 1)] == [
        (job["run"], job["shard"]) for job in jobs
    ]
    merges = json.loads(command(tmp_path, "matrix", file, "--as", "github-merge").out)["include"]
    assert [run.name for run in runs] == [job["run"] for job in merges]


@pytest.mark.skipif(importlib.util.find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
def test_a_pipeline_of_a_matrix_fits_the_published_schema(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yml"
    file.write_text(command(tmp_path, "matrix", str(KIT / "matrix.toml"), "--as", "gitlab").out)
    words = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stdout + done.stderr


GOOD = 'api_versions = ["2024-06-01"]\n[[target]]\nname = "a"\nurl = "http://a.example"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no target"),
        ("x = [", "is not TOML"),
        ("speed = 1\n" + GOOD, "unknown key speed"),
        (GOOD + 'key = "k"\n', "unknown key target 1: key"),
        (GOOD + "shards = 0\n", "shards"),
        (GOOD + "shards = true\n", "shards"),
        (GOOD + 'profiles = ["thorough"]\n', "profiles"),
        (GOOD + "api_versions = []\n", "api_versions"),
        (GOOD + GOOD.partition("\n")[2], "there twice"),
        ('api_versions = ["v"]\n[[target]]\nname = "a"\n', "neither url nor config"),
        ('api_versions = ["v"]\n[[target]]\nname = "../a"\nurl = "u"\n', "name"),
        ("shards = 64\nprofiles = ['smoke', 'standard', 'exhaustive']\n" + GOOD.replace('["', '["1", "2", "'), "jobs"),
    ],
)
def test_a_bad_matrix_is_refused_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    assert 1 == len(runs_of(matrix(tmp_path, GOOD)))
    with pytest.raises(ConfigError, match=re.escape(told)):
        runs_of(matrix(tmp_path, text))


def test_the_shell_script_is_one_that_a_shell_reads() -> None:
    assert os.access(KIT / "shard.sh", os.X_OK)
    assert 0 == subprocess.run(["sh", "-n", str(KIT / "shard.sh")], check=False).returncode
