"""Commands that are forked from a process with our imports run as those that Python starts anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import served
from served import CANARY, Done, command

#: Tells what a process can see of how it was started.
TELLS = """
import json, os, sys
seen = {
    "arguments": sys.argv[1:],
    "name": __name__,
    "folder": os.getcwd(),
    "path": sys.path,
    "environment": {n: v for n, v in os.environ.items() if n not in ("PYTHONHASHSEED", "LC_CTYPE", "_")},
    "input": sys.stdin.read(),
    "encodings": [sys.stdin.encoding, sys.stdout.encoding, sys.stderr.encoding],
    "errors": [sys.stdout.errors, sys.stderr.errors],
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:3] if os.path.isdir("/proc/self/fd") else [],
}
print(json.dumps(seen))
print("\\N{SNOWMAN}", file=sys.stderr)
"""


def told(folder: Path, code: str, *arguments: str, **env: str) -> Done:
    (folder / "told.py").write_text(code, "utf-8")
    return command(folder, sys.executable, "-m", "told", *arguments, ours=False, env={"TELL": "x y", **env})


def test_a_forked_command_sees_what_a_started_one_sees(tmp_path: Path) -> None:
    """``PYTHONHASHSEED`` concerns Python itself, so that command is started and not forked."""
    forked, started = told(tmp_path, TELLS, "a b", ""), told(tmp_path, TELLS, "a b", "", PYTHONHASHSEED="1")
    assert json.loads(started.out) == json.loads(forked.out)
    assert (0, "\N{SNOWMAN}\n") == (forked.code, forked.err)
    assert ("x y", CANARY) == tuple(json.loads(forked.out)["environment"][n] for n in ("TELL", "AOAI_EMULATOR_KEY"))
    assert ["a b", ""] == json.loads(forked.out)["arguments"]


@pytest.mark.parametrize(
    ("code", "exit_code", "says"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import atexit, sys; atexit.register(lambda: sys.stderr.write('last'))", 0, "last"),
    ],
)
def test_a_forked_command_ends_like_a_started_one(tmp_path: Path, code: str, exit_code: int, says: str) -> None:
    done = told(tmp_path, code)
    assert exit_code == done.code
    assert says in done.err
    assert "preloaded.py" not in done.err or "ZeroDivisionError" == says


#: What a worker sees of how it was started, as ``python -u -c``.
WORKER = """
import os, sys
print(sys.argv, sys.path[0] == "", __name__, sys.stdin.readline(), sys.stdin.read(), os.environ["TELL"], os.getcwd())
print("conformance.cli" in sys.modules, file=sys.stderr)
raise SystemExit(7)
"""

STARTS = """
import subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[2:], sys.argv[1]], input="one\\ntwo", capture_output=True, text=True)
print(done.returncode, done.stdout)
print(done.stderr, file=sys.stderr)
"""


def test_a_worker_of_a_forked_command_is_a_fork_too(tmp_path: Path) -> None:
    """What it can see is the same as if Python had started it; only its imports are there already."""
    forked = told(tmp_path, STARTS, WORKER, "-u", "-c")
    started = told(tmp_path, STARTS, WORKER, "-u", "-c", PYTHONHASHSEED="1")
    other = told(tmp_path, STARTS, WORKER, "-c")
    assert started.out == forked.out == other.out
    assert forked.out.startswith("7 ['-c'] True __main__ one")
    assert ("True", "False", "False") == tuple(done.err.strip() for done in (forked, started, other))


def test_a_forked_command_can_be_told_how_large_its_files_may_become(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("with open('large', 'wb') as file: file.write(bytes(1001))")
    words = (sys.executable, "-m", "told")
    assert "File too large" in command(tmp_path, *words, ours=False, file_bytes=1000).err
    assert 0 == command(tmp_path, *words, ours=False, file_bytes=1001).code


def test_one_command_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    """Each is a fork of the same process, which none of them can change."""
    seen = "import conformance, os, sys; print(hasattr(conformance, 'left'), 'LEFT' in os.environ)\n"
    assert "False False\n" == told(tmp_path, seen + "conformance.left = os.environ['LEFT'] = 'x'").out
    assert "False False\n" == told(tmp_path, seen).out


def test_a_forked_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "PATIENCE", 0.5)
    with pytest.raises(subprocess.TimeoutExpired):
        told(tmp_path, "import os, signal; open('pid', 'w').write(str(os.getpid())); signal.pause()")
    written = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
    if written:
        with pytest.raises(ProcessLookupError):
            os.kill(int(written), 0)
