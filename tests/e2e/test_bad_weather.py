"""What goes wrong outside: full disks, folders that can't be written, strange bytes, hostile files.

Each ends with a clear line and exit code 2, or with a report of what there is. It is never called our own fault, and
nothing hangs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import Done, command, environment, words
from test_canary import _http, server

from conformance._parts import part
from conformance.evidence.timeline import escaped

VERSION = "2024-06-01"
SMALL = ("--api-version", VERSION, "--scenario", "corpus.embeddings.create")
#: The same with a few requests, where it doesn't matter how many there are.
FEW = (*SMALL, "--profile", "smoke")
FULL = Path("/dev/full")


def weathered(done: Done, *codes: int) -> None:
    """Not our fault, and nobody is shown a traceback."""
    told = done.out + done.err
    assert done.code in codes, told
    assert [] == [word for word in ("Traceback", "internal error", "INTERNALERROR") if word in told], told


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the requests of the version: deriving them anew takes longer than the run."""
    folder = tmp_path_factory.mktemp("derived")
    assert 0 == command(folder, "plan", *SMALL, env={"AOAI_CONFORMANCE_CACHE": str(folder / "cache")}).code
    return folder / "cache"


def limited(state: Path, most: int, *arguments: str) -> Done:
    """A command none of whose files may become larger than ``most`` bytes: the disk is full. Its cache is its own."""
    return command(state, *arguments, env={"AOAI_CONFORMANCE_CACHE": str(state / "cache")}, file_bytes=most)


@pytest.mark.parametrize(
    ("most", "processes", "cached"),
    [
        (0, "0", False),
        (0, "2", True),
        (40_000, "0", True),
        (200_000, "2", True),
        pytest.param(40_000, "2", True, marks=pytest.mark.prove),
        pytest.param(200_000, "0", True, marks=pytest.mark.prove),
        # Each of the processes derives the requests, because none of them can keep them.
        pytest.param(0, "2", False, marks=pytest.mark.prove),
        pytest.param(40_000, "0", False, marks=pytest.mark.prove),
        pytest.param(40_000, "2", False, marks=pytest.mark.prove),
        pytest.param(200_000, "0", False, marks=pytest.mark.prove),
        pytest.param(200_000, "2", False, marks=pytest.mark.prove),
    ],
)
def test_a_full_disk_ends_with_a_line(tmp_path: Path, derived: Path, most: int, processes: str, cached: bool) -> None:
    """Before the run, in the middle of the evidence, and while the reports are written. The cache can't be written
    either; where all is there already, nobody tries to.
    """
    if cached:
        shutil.copytree(derived, tmp_path / "cache")
    done = limited(tmp_path, most, "run", *SMALL, "--out", str(tmp_path / "out"), "-n", processes)
    weathered(done, 2)
    assert [word for word in ("File too large", "is the disk full") if word in done.out + done.err]


def test_a_full_disk_in_the_middle_leaves_what_was_written(tmp_path: Path, derived: Path) -> None:
    """What fits is a report that can be read, and it claims nothing."""
    shutil.copytree(derived, tmp_path / "cache")
    weathered(limited(tmp_path, 150_000, "run", *SMALL, "--out", str(tmp_path / "out")), 2)
    report = part("reports.jsonl").read(tmp_path / "out" / VERSION)
    assert report.traces or report.verdicts or report.header
    assert report.footer is None or "conformant" != report.footer["conclusion"]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.prove
def test_a_console_on_a_full_disk_is_no_fault_of_ours(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        for stream in ("stdout", "stderr"):
            others = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
            done = subprocess.run(
                words("run", *FEW, "--out", str(tmp_path / stream)),
                env=environment(tmp_path),
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=240,
                check=False,
                **others,
            )
            weathered(Done(done.returncode, done.stdout or "", done.stderr or ""), 0, 2, 120)


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams by a POSIX shell")
@pytest.mark.parametrize(
    "closed", [*(pytest.param(one, marks=pytest.mark.prove) for one in (">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_closed_standard_streams_change_nothing(tmp_path: Path, closed: str) -> None:
    """Some daemons start their jobs so. No file of the run takes the number of a closed stream."""
    given = words("run", *FEW, "--out", str(tmp_path / "out"), "-n", "2")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *given],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    assert 0 == done.returncode
    assert 0 == command(tmp_path, "verify", str(tmp_path / "out")).code


def test_a_current_folder_that_was_deleted_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir ../gone && exec "$@"', "sh", *words("run", *SMALL)],
        env=environment(tmp_path),
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    weathered(Done(done.returncode, done.stdout, done.stderr), 2)
    assert "the current folder can't be used" in done.stderr


@pytest.mark.parametrize("place", ["state", pytest.param("journals", marks=pytest.mark.prove)])
@pytest.mark.parametrize("what", ["run", "replay"])
def test_where_no_journal_can_be_kept_nothing_is_sent(tmp_path: Path, place: str, what: str) -> None:
    """A file stands in place of a folder: even root can't write there."""
    if what == "replay":
        assert 0 == command(tmp_path, "run", *FEW, "--out", str(tmp_path / "out")).code
    file = tmp_path / "state" if place == "state" else tmp_path / "state" / "aoai-conformance" / "journals"
    if file.is_dir():
        file.rename(file.with_name("before"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    if what == "run":
        done = command(tmp_path, "run", *FEW, "--out", str(tmp_path / "out"))
    else:
        report = part("reports.jsonl").read(tmp_path / "out" / VERSION)
        case = next(seen.case.id for trace in report.traces.values() for seen in trace)
        done = command(tmp_path, "replay", case, "--run", str(tmp_path / "out"))
    weathered(done, 2)
    assert 1 == len(done.lines), done.lines
    assert "no journal can be written here" in done.err
    assert "XDG_STATE_HOME" in done.err


@pytest.mark.prove
def test_a_cache_that_can_not_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    done = command(
        tmp_path, "run", *SMALL, "--out", str(tmp_path / "out"), env={"AOAI_CONFORMANCE_CACHE": str(tmp_path / "cache")}
    )
    weathered(done, 0)


# -- strange bytes ----------------------------------------------------------------------------------------------------

#: Half a surrogate pair, a NUL, an escape sequence, and marks that turn the direction of text.
STRANGE = "a\ud800b\x00\x1b[2J\u202eevil\u2066\u200f</script><script>alert(1)</script>"


@contextmanager
def strange() -> Iterator[str]:
    """A server whose ids, texts, codes and headers hold strange characters."""

    def reply(connection: object, request: bytes) -> None:
        value = {"id": STRANGE, "object": STRANGE, "data": [{"id": STRANGE, "object": STRANGE}], "has_more": True}
        error = {"error": {"code": STRANGE, "message": STRANGE}}
        refused = b'{"input":' not in request and b"GET" not in request
        body = json.dumps(error if refused else value).encode()
        connection.sendall(_http(body, "X-Request-Id: \xe2\x80\xae", status="400 Bad" if refused else "200 OK"))  # type: ignore[attr-defined]

    with server(reply) as url:
        yield url


@pytest.mark.parametrize("processes", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_strange_characters_end_in_reports_that_show_them(tmp_path: Path, processes: str) -> None:
    version = "2024-05-01-preview"
    chosen = ("corpus.embeddings.create", "lists.assistants", "lifecycle.assistants", "corpus.assistants.list")
    with strange() as url:
        done = command(
            tmp_path,
            *("run", "--target", url, "--api-version", version, "--out", str(tmp_path / "out"), "-n", processes),
            *("--alluredir", str(tmp_path / "allure"), *(f"--scenario={name}" for name in chosen)),
            env={"AOAI_TARGET_LIVE": "false", "AOAI_TARGET_RETRIES": "0"},
        )
    weathered(done, 1)
    folder = tmp_path / "out" / version
    assert {"badge.json", "index.html", "junit.xml", "report.jsonl", "summary.md"} <= {f.name for f in folder.iterdir()}
    marks = [chr(n) for n in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x1B, 0)]
    for text in (
        done.out + done.err,
        (folder / "index.html").read_text("utf-8"),
        (folder / "summary.md").read_text("utf-8"),
        (tmp_path / "out" / "index.html").read_text("utf-8"),
    ):
        assert [] == [hex(ord(mark)) for mark in marks if mark in text]
    assert escaped("\u202e") in (folder / "index.html").read_text("utf-8")
    again = command(tmp_path, "verify", str(tmp_path / "out"))
    weathered(again, 0)


# -- hostile files ----------------------------------------------------------------------------------------------------

HOSTILE: dict[str, Callable[[Path], str]] = {
    "Content-Length": lambda folder: '[target.headers]\nContent-Length = "5"',
    "Host": lambda folder: '[target.headers]\nhost = "elsewhere.example"',
    "Transfer-Encoding": lambda folder: '[target.headers]\n"transfer-encoding" = "chunked"',
    "CR LF in a path": lambda folder: '[target]\nbase_path = "/a\\r\\nX-Evil: 1"',
    "line break after a path": lambda folder: '[target]\nbase_path = "/a\\n"',
    "CR LF in a header": lambda folder: '[target.headers]\nx-a = "b\\r\\nX-Evil: 1"',
    "an endless key": lambda folder: '[target]\nkey_file = "/dev/zero"',
    "a pipe as key": lambda folder: f'[target]\nkey_file = "{_pipe(folder)}"',
    "a folder as key": lambda folder: f'[target]\nkey_file = "{folder}"',
    "deep arrays": lambda folder: "a = " + "[" * 10_000 + "]" * 10_000,
    "deep keys": lambda folder: ".".join(["a"] * 10_000) + " = 1",
    "deep tables": lambda folder: "a = " + "{b = " * 10_000 + "1" + "}" * 10_000,
    "a giant file": lambda folder: "#" * 3_000_000,
    "a host that is none": lambda folder: f'[target]\nurl = "http://{"a" * 70}.example"',
}


def _pipe(folder: Path) -> Path:
    """A pipe into which nobody writes."""
    import os

    os.mkfifo(folder / "pipe")
    return folder / "pipe"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text(HOSTILE[name](tmp_path))
    done = command(tmp_path, "run", *SMALL, "--config", str(file), "--out", str(tmp_path / "out"))
    weathered(done, 2)
    assert 1 == len(done.lines), done.lines
    assert len(done.lines[0]) < 500
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "."])
def test_an_odd_configuration_file_is_told_or_empty(path: str, tmp_path: Path) -> None:
    done = command(tmp_path, "plan", *SMALL, "--config", path)
    weathered(done, 0 if path == "/dev/null" else 2)
    assert sys.platform != "win32"


def test_a_replay_shows_strange_characters_as_escapes(tmp_path: Path) -> None:
    with strange() as url:
        chosen = ("--api-version", VERSION, "--scenario", "corpus.embeddings.create", "--profile", "smoke")
        env = {"AOAI_TARGET_RETRIES": "0"}
        command(tmp_path, "run", "--target", url, "--out", str(tmp_path / "out"), *chosen, env=env)
        report = part("reports.jsonl").read(tmp_path / "out" / VERSION)
        case = next(seen.case.id for trace in report.traces.values() for seen in trace if seen.exchange.response)
        done = command(tmp_path, "replay", case, "--run", str(tmp_path / "out"), env=env)
    weathered(done, 0, 1)
    assert "evil" in done.out
    assert [] == [hex(ord(char)) for char in done.out if char in "\u202e\u2066\u200f\x1b\x00"]
