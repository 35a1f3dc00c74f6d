"""Every command that the documentation shows is typed here, and does what the page says."""

from __future__ import annotations

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from served import command, environment, free_port, words

from conformance.cli import parser

from .documented import SITE, lines_of

PAGES = sorted(SITE.glob("*.md"))

#: The pages whose commands take about a second in all; the others are for ``tox -e prove``.
QUICK = ("faq", "fixture", "formats", "proof")

#: What a page shows besides commands of the suite: it prepares a shell, and a test has done it already.
SHELL = ("pip", "export")


def test_the_pages_are_where_they_should_be() -> None:
    assert {"index", "gateway", "upgrade", "nightly", "faq"} <= {page.stem for page in PAGES}
    assert all(line.ours or line.words[0] in SHELL for page in PAGES for line in lines_of(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_one_that_the_suite_has(page: Path) -> None:
    for line in lines_of(page):
        if line.ours and "--version" not in line.words:
            parser(line.words[1]).parse_args(line.words[1:])


#: Options of other programs, which a page shows.
FOREIGN = {"--resource"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    """Options in running text too: ``--shard``, not ``--sharding``."""
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", _all_help()))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text("utf-8")))
    assert set() == named - known - FOREIGN


def _all_help() -> str:
    made = parser()
    (commands,) = (action for action in made._actions if hasattr(action, "choices") and action.choices)
    assert isinstance(commands.choices, dict)
    deeper = [
        sub.format_help()
        for one in commands.choices.values()
        for action in one._actions
        if isinstance(action.choices, dict)
        for sub in action.choices.values()
    ]
    return "\n".join([made.format_help(), *(one.format_help() for one in commands.choices.values()), *deeper])


ROOT = SITE.parents[1]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_link_of_a_page_in_the_repository_leads_somewhere(name: str) -> None:
    """Those between pages of the site are checked when it is built."""
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8"))
    assert [] == [link for link in links if "://" not in link and not (ROOT / link).exists()]


def test_the_readme_is_one_page_that_leads_to_the_others() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 130
    assert [] == [page.name for page in PAGES if page.stem != "index" and f"docs/site/{page.name}" not in text]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=() if page.stem in QUICK else pytest.mark.prove, id=page.stem) for page in PAGES]
)
def test_a_reader_who_types_the_commands_of_a_page_gets_what_it_says(page: Path, tmp_path: Path) -> None:
    key = "documented-key-0123456789"
    env = {"AOAI_EMULATOR_KEY": key, "AZURE_OPENAI_API_KEY": key}
    ports = {shown: str(free_port()) for shown in ("8085", "8086")}
    with ExitStack() as stack:
        for line in lines_of(page):
            if not line.ours:
                continue
            typed = [re.sub("808[56]", lambda found: ports[found[0]], word) for word in line.words[1:]]
            if line.background:
                process = stack.enter_context(
                    subprocess.Popen(
                        words(*typed), env=environment(tmp_path, **env), stdout=subprocess.PIPE, cwd=tmp_path
                    )
                )
                stack.callback(process.terminate)
                assert process.stdout is not None
                assert process.stdout.readline().startswith(b"ready ")
                continue
            done = command(tmp_path, *typed, env=env)
            assert line.code == done.code, f"{' '.join(typed)}\n{done.out}\n{done.err}"
