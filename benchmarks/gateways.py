"""What gateways that other people use alter, and what their clients see of an upstream's faults.

    python -m benchmarks.gateways [--write benchmarks/gateways.md]

Runs ``via`` through nginx (Debian: nginx-light) and through LiteLLM, the command of which is named by
``AOAI_TEST_LITELLM``; what is not there is left out, and said so. Prints the rows of both reports and their tables of
faults. 2024-10-21, profile standard: chats, completions, embeddings.
"""

from __future__ import annotations

import argparse
import grp
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.litellm_rows import LOOKED_AT
from conformance.cli import main as command

__all__ = ["KEY", "certified", "free_port", "litellm", "nginx"]

VERSION = "2024-10-21"

#: The key of a client of LiteLLM.
KEY = "sk-client-1f9b"

_MODELS = {
    "gpt-4o": "azure/gpt-4o",
    "text-embedding-3-small": "azure/text-embedding-3-small",
    "gpt-35-turbo-instruct": "azure_text/gpt-35-turbo-instruct",
}

_CONFIG = """
[target]
key_env = "GATEWAY_KEY"
[target.deployments]
gpt-4o = ["chat", "tools", "vision", "file-input", "logprobs", "stop", "n", "json-mode", "json-schema"]
gpt-35-turbo-instruct = ["completions", "n", "stop"]
text-embedding-3-small = ["embeddings", "dimensions"]
"""

_NGINX = """user {user} {group}; daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


def free_port() -> int:
    """A port on which nobody listens now."""
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """Run nginx as a plain reverse proxy in front of a port. Yields its URL."""
    port, config = free_port(), folder / "nginx.conf"
    # Its workers write large bodies into the folder, so they run as whoever made it.
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    filled = _NGINX.format(user=user, group=group, folder=folder, port=port, upstream=upstream)
    config.write_text(filled, "utf-8")
    process = subprocess.Popen([shutil.which("nginx") or "nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def litellm(folder: Path, upstream: int) -> Iterator[str]:
    """Run LiteLLM in front of a port. Yields its URL."""
    there = {"api_base": f"http://127.0.0.1:{upstream}", "api_key": "emulator-key", "api_version": VERSION}
    models = [{"model_name": name, "litellm_params": {"model": model, **there}} for name, model in _MODELS.items()]
    config = folder / "litellm.yaml"
    # JSON is YAML.
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}), "utf-8")
    port = free_port()
    # It fetches a table of prices at its start unless it is told to take its own.
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    words = [os.environ["AOAI_TEST_LITELLM"], "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def certified(url: str, port: int, folder: Path, out: Path, *more: str) -> dict[str, Any]:
    """Run ``via`` on chats, completions and embeddings. Returns the footer of its report."""
    config = folder / "conformance.toml"
    config.write_text(_CONFIG, "utf-8")
    words = ["via", "--gateway", url, "--upstream-port", str(port), "--api-version", VERSION, "--config", str(config)]
    words += ["--wait", "120", "--out", str(out), *more]
    words += ["--operation", "chat.*", "--operation", "completions.*", "--operation", "embeddings.*"]
    os.environ.setdefault("GATEWAY_KEY", KEY)
    command(words)
    footer: dict[str, Any] = json.loads((out / VERSION / "passages.jsonl").read_bytes().splitlines()[-1])
    return footer


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _table(name: str, footer: dict[str, Any]) -> Iterator[str]:
    """The report on one gateway in lines."""
    rows = footer["rows"]
    natures = {nature: sum(row["nature"] == nature for row in rows) for nature in ("defect", "policy", "legal")}
    told = ", ".join(f"{count} {nature}" for nature, count in natures.items())
    yield f"\n## {name}: {footer['conclusion']}\n\n{len(rows)} rows: {told}.\n"
    if rows:
        yield "| level | nature | direction | kind | field | requests | rule | what it is |"
        yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        looked_at = LOOKED_AT.get((row["nature"], row["rule"], row["kind"], row["field"]), row["why"])
        first = f"{row['level']} | {row['nature']} | {row['side']} | {row['kind']} | `{_cell(row['field'])}`"
        yield f"| {first} | {row['requests']} | `{row['rule']}` | {_cell(looked_at)} |"
    yield "\n| fault of the upstream | what the client saw | requests at the upstream |\n|---|---|---|"
    for fault in footer["faults"]:
        yield f"| {fault['fault']} | {_cell(fault['saw'])} | {fault['calls']} |"


#: Name → how it is started, and whether it is here.
GATEWAYS: dict[str, tuple[Callable[[Path, int], AbstractContextManager[str]], Callable[[], object]]] = {
    "nginx": (nginx, lambda: shutil.which("nginx")),
    "LiteLLM 1.108.7": (litellm, lambda: os.environ.get("AOAI_TEST_LITELLM")),
}


def main() -> None:
    """Print, or write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, default=None, metavar="FILE")
    args = parser.parse_args()
    lines = ["# Gateways, seen from both sides", "", "Made by `python -m benchmarks.gateways --write FILE`: what each"]
    lines += ["alters of requests and answers, and what a client sees of an upstream that fails."]
    for name, (started, here) in GATEWAYS.items():
        if not here():
            lines.append(f"\n## {name}: not installed here")
            continue
        with TemporaryDirectory() as place:
            folder, port = Path(place), free_port()
            # nginx passes the client's key on.
            os.environ["GATEWAY_KEY"] = "emulator-key" if started is nginx else KEY
            with started(folder, port) as url:
                lines += _table(name, certified(url, port, folder, folder / "out"))
    text = "\n".join(lines) + "\n"
    if args.write is not None:
        args.write.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
