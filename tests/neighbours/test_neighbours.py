"""Beside popular plugins, with the wheel installed: their users' tests work, and so does our run.

Only in ``tox -e neighbours``, whose environment has the wheel and the plugins named in ``tox.ini``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytestmark = pytest.mark.neighbours

CHECKOUT = Path(__file__).resolve().parents[2]
VERSIONS = ("2024-05-01-preview", "2024-06-01")
CHOICE = (
    *(f"--aoai-api-version={version}" for version in VERSIONS),
    *("--aoai-scenario=corpus.embeddings.create", "--aoai-scenario=corpus.assistants.list"),
)

#: Somebody's project. It asks every neighbour for something that only works where the neighbour is loaded.
PROJECT = {
    "shop.py": "def price(net):\n    return round(net * 1.2, 2)\n",
    "pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\nDJANGO_SETTINGS_MODULE = settings\n",
    "manage.py": "",
    "settings.py": "SECRET_KEY = 'x'\nDATABASES = {}\nUSE_TZ = True\n",
    "conftest.py": """
import flask
import pytest

@pytest.fixture
def app():
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "open")
    return app
""",
    "test_shop.py": """
import asyncio
import pytest
import shop

def test_price():
    assert shop.price(10) == 12.0

def test_mocked(mocker):
    mocker.patch("shop.price", return_value=1)
    assert shop.price(10) == 1

@pytest.mark.asyncio
async def test_async():
    await asyncio.sleep(0)

def test_flask(app):  # pytest-flask's own fixture "client" has the name of one of pytest-django
    assert app.test_client().get("/").data == b"open"

def test_django(settings):
    settings.SECRET_KEY = "y"

@pytest.mark.timeout(60)
def test_timed(base_url):
    assert base_url == "http://127.0.0.1:9"

@pytest.mark.flaky(reruns=1)
def test_flaky(tmp_path_factory, worker_id):
    pass
""",
}


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The ``pytest`` of this environment, with every installed plugin. Its own settings come from ``folder``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    return subprocess.run(
        [str(Path(sys.executable).with_name("pytest")), *arguments],
        cwd=folder,
        env={**kept, "XDG_STATE_HOME": str(folder / "state"), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project in a folder of its own."""
    for name, text in PROJECT.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_this_environment_has_us_and_the_neighbours() -> None:
    """Our plugin is loaded by its entry point, from an installation, and six others are there at least."""
    loaded = {entry.value for entry in entry_points(group="pytest11")}
    assert "aoai_conformance_pytest" in loaded
    assert {"pytest_profiling", "pytest_flask.plugin", "pytest_mock", "pytest_html.plugin", "pytest_timeout"} <= loaded
    assert not Path(sys.modules["conformance"].__file__ or "").is_relative_to(CHECKOUT / "conformance")


@pytest.mark.parametrize("processes", ["0", "2"])
def test_an_unrelated_project_works(project: Path, processes: str) -> None:
    """Its tests pass with the options of all neighbours, ``--profile`` among them, and our plugin says nothing."""
    options = ("--profile", "--cov=shop", "--html=report.html", "--timeout=60", "--base-url=http://127.0.0.1:9")
    done = run_pytest(project, "-n", processes, "--reruns=1", *options)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "7 passed" in done.stdout
    assert (project / "report.html").is_file()
    assert (project / "prof").is_dir(), "pytest-profiling did not see its own option"
    assert "conformant" not in done.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_our_run_works_beside_them(tmp_path: Path, processes: str) -> None:
    """The installed suite, two api-versions in random order, with the neighbours' options: conformant."""
    options = ("--profile", "--html=report.html", "--timeout=200", f"--aoai-out={tmp_path / 'out'}", "-n", processes)
    done = run_pytest(tmp_path, "--pyargs", "conformance", *options, *CHOICE)
    assert 0 == done.returncode, done.stdout + done.stderr
    for version in VERSIONS:
        assert f"{version}: conformant" in done.stdout
        assert (tmp_path / "out" / version / "report.jsonl").is_file()


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_checkout_judges_by_its_own_code(tmp_path: Path, processes: str) -> None:
    """``pytest conformance`` in a checkout takes the checkout's modules, though the package is installed as well."""
    options = ("-p", "no:cacheprovider", f"--aoai-out={tmp_path / 'out'}", "-n", processes, "--trace-config")
    done = run_pytest(CHECKOUT, "conformance", *options, *CHOICE)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{VERSIONS[0]}: conformant" in done.stdout
    assert f"<module 'conformance.plugin' from '{CHECKOUT / 'conformance' / 'plugin.py'}'>" in done.stdout
