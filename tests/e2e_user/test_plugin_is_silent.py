"""The pytest plugin takes no name that another plugin or somebody's tests may use, and does nothing unless it is asked
to.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from served import Done, command

PLUGIN = "conformance.plugin"

#: A project that uses names which our command line has too.
CONFTEST = """
import pytest

def pytest_addoption(parser):
    for name in ("--target", "--profile", "--out", "--seed", "--config", "--check", "--api-version", "--specs"):
        parser.addoption(name, default="theirs")

@pytest.fixture
def conformance_verdict(request):
    return request.config.getoption("--profile")
"""
TEST = """
def test_theirs(conformance_verdict, pytestconfig):
    assert "theirs" == conformance_verdict == pytestconfig.getoption("--target")
"""


def run_pytest(folder: Path, *arguments: str) -> Done:
    """pytest with the plugins that are named, and no others."""
    words = (sys.executable, "-m", "pytest", "--disable-plugin-autoload", "-p", "no:cacheprovider")
    return command(folder, *words, *arguments, ours=False)


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ("--help", r"^ +(-[\w-]+)"),  # options
        ("--help", r"^  (\w+) \(\w+\):"),  # keys of configuration files
        ("--fixtures", r"^(\w+)(?: \[\w+ scope\])? -- "),
        ("--markers", r"^@pytest\.mark\.(\w+)"),
    ],
    ids=["options", "configuration", "fixtures", "markers"],
)
def test_all_names_have_our_prefix(tmp_path: Path, ask: str, names: str) -> None:
    """What pytest lists with the plugin, and not without it, begins with ``aoai``."""
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    bare, plugged = (
        {*re.findall(names, run_pytest(tmp_path, ask, *plugin).out, re.MULTILINE)} for plugin in ((), ("-p", PLUGIN))
    )
    assert bare, "the pattern fits nothing of what pytest prints"
    assert bare <= plugged
    assert [] == [name for name in plugged - bare if not name.lstrip("-").startswith("aoai")]
    if ask == "--help" and "-h" in bare:
        assert "--aoai-target" in plugged


def test_a_project_keeps_its_own_options_and_fixtures(tmp_path: Path) -> None:
    """Their ``--profile`` and their fixture of a name like ours work with our plugin loaded."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_theirs.py").write_text(TEST)
    done = run_pytest(tmp_path, "-p", PLUGIN)
    assert 0 == done.code, done.out + done.err


def test_a_project_keeps_its_own_package_of_our_name(tmp_path: Path) -> None:
    """Who has a package ``conformance`` in the current folder imports that one, although ours is installed."""
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("WHOSE = 'theirs'\n")
    (tmp_path / "conftest.py").write_text("")
    (tmp_path / "test_theirs.py").write_text("import conformance\n\ndef test(): assert conformance.WHOSE == 'theirs'\n")
    words = (sys.executable, "-c", "import sys, pytest; sys.path.remove(''); sys.exit(pytest.main(sys.argv[1:]))")
    done = command(tmp_path, *words, "--disable-plugin-autoload", "-p", "aoai_conformance_pytest", ours=False)
    assert 0 == done.code, done.out + done.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--aoai-profile=fast",), "unknown profile 'fast'"),
        (("--aoai-target=",), "--aoai-target is empty"),
        (("--aoai-check=no.such",), "--aoai-check no.such fits no check"),
    ],
)
def test_mistakes_are_told_in_the_names_that_were_typed(tmp_path: Path, typed: tuple[str, ...], told: str) -> None:
    """Who types pytest's options reads of pytest's options."""
    done = run_pytest(tmp_path, "-p", PLUGIN, *typed)
    assert pytest.ExitCode.USAGE_ERROR == done.code, done.out + done.err
    assert told in done.out + done.err
