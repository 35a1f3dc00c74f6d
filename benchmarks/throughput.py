"""Judged requests per second of whole commands, side by side, each against an emulator of its own in another process.

* ``run``: this suite, standard profile, JUnit on, Allure off;
* ``schemathesis``: its command line on the same document (corrected view), same operations, same number of workers,
  JUnit on, deployments named in its configuration so that its requests reach the operations;
* ``httpx``: bare ``httpx.Client`` threads that send again what ``run`` sent, read the answers and judge nothing.

    python -m benchmarks.throughput [--api-version V] [--workers 8] [--limit 120] [--everything]

The emulator counts what arrives and when, so the same clock serves all three: whole command, and from the first request
to the last (without start-up). ``--limit`` bounds each command in seconds. Prints a table and the two ratios.
``--everything`` takes all operations of the version and leaves schemathesis out, which needs minutes for them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from attrs import frozen

from benchmarks.beside import KEY, beside, environment
from conformance._parts import part

OPERATIONS = (
    "completions.create",
    "chat.completions.create",
    "embeddings.create",
    "assistants.list",
    "assistants.create",
    "assistants.get",
    "assistants.modify",
    "assistants.delete",
)
COUNTS = "/-/counts"


@frozen
class Measured:
    """One command: seconds in all, requests that arrived, seconds from the first of them to the last."""

    whole: float
    requests: int
    sending: float
    code: int


def serve(version: str) -> None:
    """The emulator with a counter; prints its address when it listens."""
    from conformance.emulator.app import App
    from conformance.emulator.behaviour import Settings
    from conformance.emulator.server import asgi
    from conformance.emulator.server import serve as listen

    inner = asgi(App.of(version, settings=Settings(key=KEY)))
    times: list[float] = []

    async def front(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == COUNTS:
            body = json.dumps([len(times), times[-1] - times[0] if times else 0.0]).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["type"] == "http":
            times.append(time.monotonic())
        await inner(scope, receive, send)

    listen(front, ready=lambda port: print(f"ready http://127.0.0.1:{port}", flush=True))


def measured(version: str, words: list[str], folder: Path, limit: float) -> Measured:
    """Run a command with ``{url}`` filled in, against a fresh emulator."""
    with beside("benchmarks.throughput", version) as url, (folder / "output").open("a") as output:
        began = time.monotonic()
        try:
            code = subprocess.run(
                [word.replace("{url}", url) for word in words],
                env=environment(),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=limit,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
        whole = time.monotonic() - began
        requests, sending = httpx.get(url + COUNTS).json()
    return Measured(whole, requests, sending, code)


def replay(url: str, report: Path, width: int) -> None:
    """Send again, with bare httpx, what a report holds."""
    asked: list[tuple[str, str, dict[str, str], bytes]] = []
    for trace in part("reports.jsonl").read(report).traces.values():
        for seen in trace:
            request = seen.exchange.request
            target = httpx.URL(request.url).raw_path.decode()
            headers = {k: v for k, v in request.headers if k.lower() in ("content-type", "accept")}
            asked.append((request.method, url + target, {**headers, "api-key": KEY}, request.body))
    turns = count()

    def work() -> None:
        with httpx.Client(timeout=30) as client:
            while (turn := next(turns)) < len(asked):
                method, where, headers, body = asked[turn]
                with client.stream(method, where, headers=headers, content=body) as answer:
                    for _ in answer.iter_raw():
                        pass

    threads = [threading.Thread(target=work) for _ in range(width)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def document(version: str, folder: Path) -> Path:
    """The corrected document as JSON."""
    from conformance.spec.loading import load

    path = folder / "openapi.json"
    path.write_text(json.dumps(load(version).document))
    return path


def settings(version: str, folder: Path) -> Path:
    """What schemathesis is told: deployments that exist, and the api-version."""
    lines = ["[parameters]", f'api-version = "{version}"', 'deployment-id = "gpt-4o"', ""]
    for operation, name in (
        ("embeddings.create", "text-embedding-3-small"),
        ("completions.create", "gpt-35-turbo-instruct"),
    ):
        lines += [
            "[[operations]]",
            f'include-operation-id = "{operation}"',
            f'parameters = {{ deployment-id = "{name}" }}',
            "",
        ]
    path = folder / "schemathesis.toml"
    path.write_text("\n".join(lines))
    return path


def compare(version: str, width: int, limit: float, *, everything: bool) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = [sys.executable, "-m", "conformance", "run", "--target", "{url}", "--api-version", version]
        ours += ["--out", str(folder / "out"), "--concurrency", str(width)]
        ours += [f"--operation={operation}" for operation in OPERATIONS if not everything]
        theirs = [str(Path(sys.executable).with_name("st")), "--config-file", str(settings(version, folder)), "run"]
        theirs += [str(document(version, folder)), "--url", "{url}/openai", "-H", f"api-key:{KEY}", "-w", str(width)]
        theirs += ["--report", "junit", "--report-dir", str(folder / "st"), "--continue-on-failure", "--no-color"]
        for operation in OPERATIONS:
            theirs += ["--include-operation-id", operation]
        report = folder / "out" / version / "report.jsonl"
        bare = [
            sys.executable,
            "-m",
            "benchmarks.throughput",
            "--replay",
            "{url}",
            str(report),
            "--workers",
            str(width),
        ]
        measured(version, ours, folder, limit)  # the corpus is kept from now on: a certificate is no first run
        rows = {"run": measured(version, ours, folder, limit)}
        if not everything:
            rows["schemathesis"] = measured(version, theirs, folder, limit)
        rows["httpx"] = measured(version, bare, folder, limit)
        print(f"{'':14}{'requests':>9}{'whole s':>9}{'per s':>8}{'sending s':>11}{'per s':>8}{'exit':>6}")
        for label, one in rows.items():
            whole, sending = one.requests / one.whole, one.requests / max(one.sending, 0.001)
            print(
                f"{label:14}{one.requests:>9}{one.whole:>9.1f}{whole:>8.0f}{one.sending:>11.1f}{sending:>8.0f}{one.code:>6}"
            )
        first = rows.pop("run")
        for label, other in rows.items():
            whole = first.requests / first.whole / (other.requests / other.whole)
            sending = first.requests / first.sending / (other.requests / max(other.sending, 0.001))
            print(f"run against {label}: {whole:.2f} × whole commands, {sending:.2f} × without start-up")
        for label, one in {"run": first, **rows}.items():
            if one.requests < 10:
                print(f"{label} sent next to nothing:", (folder / "output").read_text()[-2000:])


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Judged requests per second, side by side.")
    parser.add_argument("--api-version", default="2024-05-01-preview")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--everything", action="store_true", help="all operations; without schemathesis")
    parser.add_argument("--serve", metavar="VERSION", help=argparse.SUPPRESS)
    parser.add_argument("--replay", nargs=2, metavar=("URL", "REPORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    elif given.replay:
        replay(given.replay[0], Path(given.replay[1]), given.workers)
    else:
        compare(given.api_version, given.workers, given.limit, everything=given.everything)


if __name__ == "__main__":
    main()
