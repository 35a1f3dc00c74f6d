"""The completion of a shell knows every command, and the shell can read it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from served import command

from conformance.cli import PROG, _commands


def test_bash_reads_the_script_and_completes_every_command(tmp_path: Path) -> None:
    done = command(tmp_path, "completion", "bash")
    assert (0, "") == (done.code, done.err)
    script = tmp_path / "completion.sh"
    script.write_text(done.out)

    def completed(word: str) -> list[str]:
        asked = (
            f"source {script}; COMP_WORDS=({PROG} '{word}'); COMP_CWORD=1; "
            "_shtab_aoai_conformance; echo ${COMPREPLY[@]}"
        )
        return subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout.split()

    assert ["merge"] == completed("mer")
    assert set(_commands()) <= set(completed(""))
