"""Trials end with the run that started them, however it ends, and a run goes on where an earlier one was stopped."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

from journal import Journal
from mutation import mutations
from trial import ROOT, Fate, in_own_process

HERE = Path(__file__).resolve().parent

#: A run with one trial, whose mutant starts a process and then waits. Both hold the pipe of the test open.
RUN = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from parentage import end_on_signals
from trial import in_own_process, trials
end_on_signals()
pipe, folder = int(sys.argv[3]), Path(sys.argv[4])
mutant = f"import os, subprocess, time; subprocess.Popen(['sleep', '300'], pass_fds=[{pipe}])"
mutant += f"; os.write({pipe}, b'x'); time.sleep(300)"
tests = ["tests/core/test_pointer.py"]
work = lambda: trials("conformance.pointer", [mutant], tests, folder, jobs=1, usual=20.0)
print(list(in_own_process(work)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
@pytest.mark.parametrize(("ending", "code"), [("SIGKILL", -9), ("SIGTERM", 143)])
def test_no_trial_outlives_its_run(tmp_path: Path, ending: str, code: int) -> None:
    reader, writer = os.pipe()
    arguments = [sys.executable, "-c", RUN, str(HERE), str(ROOT), str(writer), str(tmp_path)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.Popen(arguments, env=environment, pass_fds=[writer], start_new_session=True)
    os.close(writer)
    try:
        assert select.select([reader], [], [], 120)[0], "the trial was not started"
        assert b"x" == os.read(reader, 1)
        run.send_signal(signal.Signals[ending])
        assert code == run.wait(60)
        assert select.select([reader], [], [], 60)[0], "a process of the trial still runs"
        assert b"" == os.read(reader, 1)
    finally:
        run.kill()
        run.wait()
        os.close(reader)


def test_what_goes_wrong_in_the_process_of_the_trials_is_told() -> None:
    def failing() -> object:
        yield 1
        raise ValueError("the words")

    def dying() -> object:
        yield 1
        os._exit(7)

    for work, words in ((failing, "ValueError: the words"), (dying, "died with exit code 7")):
        items = in_own_process(work)
        assert 1 == next(items)
        with pytest.raises(RuntimeError, match=words):
            next(items)


def test_a_fate_is_known_again_for_the_same_code_and_mutant(tmp_path: Path) -> None:
    """A line that was cut off when a run was killed is no fate."""
    source, path = tmp_path / "first.py", tmp_path / "journal"
    source.write_text("a = 1\n")
    one, other = mutations(source, "first")[:2]
    Journal(path).note("code", one, Fate.SLOW)
    path.write_text(path.read_text() + '["code", "first')
    again = Journal(path)
    assert (Fate.SLOW, None, None) == (again.known("code", one), again.known("other", one), again.known("code", other))
    Journal(None).note("code", one, Fate.SLOW)
    assert None is Journal(None).known("code", one)
