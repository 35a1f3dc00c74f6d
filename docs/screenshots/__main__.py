"""Makes the screenshots in this folder: runs against the suite's own emulator, opened in Chromium.

    python docs/screenshots [NAME …]

Without names all are made, which takes some minutes. Chromium is needed, and the versions in ``constraints.txt``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
KEY = "emulator-key"
CHAT = "2024-10-21"
ASSISTANTS = "2024-05-01-preview"

#: A run that may send little, and one whose failure is known.
BUDGET = "[budget]\nrequests = 120\n"
WAIVER = """
[[waiver]]
check = "sse.done.last"
owner = "ann"
reason = "fixed in the next release of the gateway"
link = "https://bugs.example/1234"
expires = 2030-12-31
"""


#: Takes a path out of the commands that a page shows.
WITHOUT = """path => {
    for (const one of document.querySelectorAll(".command pre")) one.textContent = one.textContent.replace(path, "");
}"""


@frozen
class Run:
    """A run: api-versions, arguments of ``serve`` and of ``run``, and the text of a configuration."""

    versions: Sequence[str]
    server: Sequence[str] = ()
    options: Sequence[str] = ()
    configuration: str = ""


@frozen
class Shot:
    """A screenshot: of which run, at which fragment, scrolled to which element, how wide and high, in which colours.

    ``file`` is the page below the folder of the run; "" is that of its first api-version. Without a run it is below
    this folder.
    """

    run: str
    fragment: str = ""
    element: str = ""
    size: tuple[int, int] = (1000, 720)
    scheme: str = "light"
    file: str = ""


RUNS: Mapping[str, Run] = {
    "clean": Run([CHAT]),
    "broken": Run([ASSISTANTS], ["--mutant", "life.delete-keeps"]),
    "stream": Run(
        [CHAT], ["--break", "sse.done.last", "--interval", "0.03"], ["--scenario", "corpus.chat.completions.create"]
    ),
    "refused": Run([CHAT], ["--break", "http.accepted"]),
    "partial": Run([CHAT], configuration=BUDGET),
    "narrowed": Run([CHAT], options=["--profile", "smoke", "--operation", "chat.*"]),
    "waived": Run([CHAT], ["--break", "sse.done.last"], configuration=WAIVER),
    "two-versions": Run([CHAT, "2024-06-01"], ["--break", "usage.adds-up"]),
}

FINDING = "item=sse.done.last--corpus.chat.completions.create"

SHOTS: Mapping[str, Shot] = {
    **{name: Shot(name) for name in RUNS if name not in ("stream", "two-versions")},
    "matrix": Shot("broken", element="#matrix"),
    "dark": Shot("broken", scheme="dark"),
    "narrow": Shot("broken", size=(400, 900)),
    "evidence": Shot("broken", "item=lifecycle.deleted.gone--lifecycle.assistants", size=(1000, 800)),
    "stream": Shot("stream", FINDING, element=".stream"),
    "two-versions": Shot("two-versions", file="index.html", size=(1280, 420)),
    "site": Shot("", file="../example/index.html", size=(1600, 980)),
}


@contextmanager
def serving(run: Run, folder: Path) -> Iterator[str]:
    """The emulator in a process of its own; yields its address."""
    versions = [word for version in run.versions for word in ("--api-version", version)]
    words = [sys.executable, "-m", "conformance", "serve", "--port", "0", *versions, *run.server]
    server = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment(folder))
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line.startswith("ready "):
            raise SystemExit(f"serve did not start: {line!r}")
        yield line.removeprefix("ready ").strip()
    finally:
        server.kill()
        server.wait()


def environment(folder: Path) -> dict[str, str]:
    """The environment of a command: its journals stay in a folder that is removed."""
    path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AOAI_")}
    return {**kept, "PYTHONPATH": path, "XDG_STATE_HOME": str(folder / "state"), "AZURE_OPENAI_API_KEY": KEY}


def made(run: Run, folder: Path) -> None:
    """Make the report of a run in ``out`` below a folder."""
    folder.mkdir()
    (folder / "conformance.toml").write_text(run.configuration, "utf-8")
    versions = [word for version in run.versions for word in ("--api-version", version)]
    with serving(run, folder) as url:
        chosen = ("--target", url, "--out", "out", "--config", "conformance.toml", *versions, *run.options)
        words = [sys.executable, "-m", "conformance", "run", *chosen]
        subprocess.run(words, cwd=folder, env=environment(folder), check=False, capture_output=True)


def taken(browser: Browser, shot: Shot, folder: Path, file: Path) -> None:
    """Take one screenshot."""
    below = folder / "out" if shot.run else HERE
    page_file = (below / (shot.file or f"{RUNS[shot.run].versions[0]}/index.html")).resolve()
    width, height = shot.size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=shot.scheme)
    page.goto(f"{page_file.as_uri()}#{shot.fragment}")
    if not shot.file:
        page.wait_for_selector("html[data-ready]")
    if shot.fragment:
        page.wait_for_selector(".exchange")
    if shot.element:
        page.evaluate("selector => document.querySelector(selector).scrollIntoView()", shot.element)
    # The folder of these runs is a temporary one; nobody can use its path.
    page.evaluate(WITHOUT, f"{folder}/")
    page.screenshot(path=file)
    page.close()


def main(names: Sequence[str]) -> None:
    """Make the screenshots with these names, or all."""
    unknown = [name for name in names if name not in SHOTS]
    if unknown:
        raise SystemExit(f"no screenshot is called {unknown[0]!r}: {', '.join(SHOTS)}")
    wanted = {name: SHOTS[name] for name in names or SHOTS}
    with tempfile.TemporaryDirectory() as below, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for run in dict.fromkeys(shot.run for shot in wanted.values()):
            if run:
                made(RUNS[run], Path(below) / run)
            for name in (name for name, shot in wanted.items() if shot.run == run):
                file = HERE / f"{name}.png"
                taken(browser, wanted[name], Path(below) / run, file)
                print(f"{file.name}: {file.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
