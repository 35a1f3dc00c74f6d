"""``python ci/image.py FOLDER``: the instructions of ``ci/Dockerfile``, carried out without a container engine.

FOLDER must be new. In the place of the base image stands a minimal Debian with its Python, which ``debootstrap`` makes.
The commands of a stage run in a root of their own (``chroot``), so they see nothing of this machine. Then the image's
command is started as its user, the health check must succeed, and the suite in the root judges it.

It needs root, ``debootstrap`` and Debian's packages. What it can't show: the layers, and the base image itself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "ci" / "Dockerfile"

#: The release of Debian that the base image is made of, and what that image brings besides.
_RELEASE = "bookworm"
_PACKAGES = "ca-certificates,python3,python3-pip,python3-venv,python-is-python3"

#: What is not passed on into a root: it concerns this machine's Python.
_OURS = ("PYTHON", "VIRTUAL_ENV", "TOX")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def instructions() -> Iterator[tuple[str, str]]:
    """(name, the rest) of each instruction of the Dockerfile."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


class Image:
    """The root of a stage, and what the instructions say of how it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "0"
        self.workdir = "/"
        self.told: dict[str, list[str]] = {}

    def within(self, path: str) -> Path:
        """A path of the image on this machine."""
        return self.folder / (Path(self.workdir) / path).relative_to("/")

    def words(self, *command: str) -> list[str]:
        """What runs a command in the root, as the user, in the working folder."""
        changed = f"cd {shlex.quote(self.workdir)} && exec {shlex.join(command)}"
        return ["chroot", f"--userspec={self.user}:{self.user}", str(self.folder), "/bin/sh", "-c", changed]

    @property
    def environment(self) -> dict[str, str]:
        """That of this machine without what concerns our Python."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return {**kept, "PATH": _PATH, "HOME": self.workdir if self.user != "0" else "/root"}

    def run(self, *command: str, **env: str) -> None:
        """Run a command to its end. Raises CalledProcessError."""
        print("$", *command, flush=True)
        subprocess.run(self.words(*command), env={**self.environment, **env}, check=True)


def _copied(image: Image, rest: str) -> None:
    """``COPY``: files of the checkout that git knows."""
    *sources, target = shlex.split(rest)
    into = image.within(target)
    for source in sources:
        if source != ".":
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, into)
            continue
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, into / name)


def _ran(image: Image, rest: str, stages: Mapping[str, Image]) -> None:
    """``RUN``, with the folders of other stages that ``--mount`` binds: copies of them for that time."""
    bound = []
    while rest.startswith("--mount="):
        option, _, rest = rest.partition(" ")
        given = dict(part.split("=", 1) for part in option.removeprefix("--mount=").split(","))
        into = image.within(given["target"])
        shutil.copytree(stages[given["from"]].within(given["source"]), into)
        bound.append(into)
    image.run("/bin/sh", "-c", rest.strip())
    for into in bound:
        shutil.rmtree(into)


def _base(base: Path) -> Path:
    """Make what stands for the base image in a new folder, and return that folder."""
    made = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _RELEASE, str(base)]
    subprocess.run(made, stdout=subprocess.DEVNULL, check=True)
    for name in base.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        name.unlink()  # the base image has a Python of its own, into which pip may install
    # How this machine reaches a package registry: names, authorities, settings of pip.
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(name).exists():
            shutil.copy(name, base / name[1:])
    return base


def built(folder: Path) -> Image:
    """Carry out all instructions. Returns the image of the last stage."""
    base = _base(folder / "base")
    stages: dict[str, Image] = {}
    image = Image(base)
    for name, rest in instructions():
        match name:
            case "FROM":
                label = rest.partition(" AS ")[2] or "last"
                subprocess.run(["cp", "-a", str(base), str(folder / label)], check=True)
                image = stages[label] = Image(folder / label)
            case "WORKDIR":
                image.workdir = rest
                image.within(rest).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copied(image, rest)
            case "RUN":
                _ran(image, rest, stages)
            case "USER":
                image.user = rest
            case "ENTRYPOINT" | "CMD":
                image.told[name] = json.loads(rest)
            case "HEALTHCHECK":
                image.told[name] = json.loads(re.sub(r"^.*?\bCMD ", "", rest))
            case "ARG" | "EXPOSE":
                pass
            case _:
                raise ValueError(f"this command doesn't know the instruction {name}")
    return image


def started(image: Image) -> None:
    """Start the image's command at a free port, ask for its health, judge it with the suite that is inside."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def here(words: Sequence[str]) -> list[str]:
        return [word.replace("8080", port) for word in words]

    entry = image.told["ENTRYPOINT"]
    key = {"AOAI_EMULATOR_KEY": "a-key-in-a-root", "AZURE_OPENAI_API_KEY": "a-key-in-a-root"}
    command = image.words(*entry, *here(image.told["CMD"]))
    with subprocess.Popen(command, env={**image.environment, **key}, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or not process.stdout.readline().startswith(b"ready "):
                raise RuntimeError("the command of the image did not start")
            owner = Path(f"/proc/{process.pid}").stat().st_uid
            print(f"it runs as user {owner}")
            if owner != int(image.user) or not owner:
                raise RuntimeError(f"it should run as user {image.user}")
            image.run(*here(image.told["HEALTHCHECK"]))
            target = ("--target", f"http://127.0.0.1:{port}", "--profile", "smoke")
            image.run(*entry, "run", *target, "--out", "/reports/run", **key)
            image.run("shard.sh", "shards", *target, "--operation", "embeddings.*", **key)
        finally:
            process.terminate()
    image.run(*entry, "verify", "/reports/run")


def main(folder: Path) -> int:
    """Build and start. Returns the exit code."""
    if os.geteuid() or not shutil.which("debootstrap"):
        print("this needs root and debootstrap (apt-get install debootstrap)", file=sys.stderr)
        return 2
    folder.mkdir(parents=True)
    started(built(folder))
    print("all instructions of the Dockerfile were carried out, and the image's command answers")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
