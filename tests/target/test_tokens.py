"""Tokens that end: they are renewed in time, from Entra, a command or a file, and stand in no message.

Entra is asked by the real ``azure-identity`` over HTTP: its managed identity, whose endpoint a test can be. A login at
an authority can't be tried without a network, as the library insists on a known host.
"""

from __future__ import annotations

import base64
import json
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from served import CANARY, command, environment, serving

from conformance.errors import ConfigError, UsageError
from conformance.settings.configuration import Target as Settings
from conformance.settings.configuration import load_config
from conformance.target import tokens
from conformance.target.tokens import AGAIN, MARGIN, Token, Tokens, from_command, from_entra, token_in

from .conftest import Open, Serve
from .test_account import header_of
from .test_faults import CHAT
from .wire_server import http


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No token of another test, and no credential of one; tests of other modules may have left some."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    tokens._shared.cache_clear()
    tokens._entra.cache_clear()


def jwt(ends: float, name: str = "a") -> str:
    """A JSON Web Token, as far as anybody but its issuer can tell."""
    parts = ({"alg": "none"}, {"exp": int(ends), "name": name}, {"signature": 1})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


# -- when a token is renewed ------------------------------------------------------------------------------------------


class Source:
    """Tokens by number, with the time that each lasts; the time is what a test says."""

    def __init__(self, lasts: float | None) -> None:
        self.now, self.lasts, self.given, self.fails = 1000.0, lasts, 0, False

    def read(self) -> Token:
        if self.fails:
            raise UsageError("nobody is signed in")
        self.given += 1
        return Token(f"token-{self.given}", None if self.lasts is None else self.now + self.lasts)

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("lasts", "early"),
    [(3600.0, MARGIN), (90.0, 30.0), (None, None), (12.0, 2.0)],
    ids=["hour", "short", "none", "brief"],
)
def test_a_token_is_renewed_before_it_ends(lasts: float | None, early: float | None) -> None:
    source = Source(lasts)
    made = Tokens(source.read, now=source.clock)
    assert "token-1" == made.current() == made.current()
    if lasts is None or early is None:
        source.now += 1e9
        assert "token-1" == made.current()
        return
    source.now += lasts - early - 0.5
    assert "token-1" == made.current()
    source.now += 0.5
    assert "token-2" == made.current() == made.current()


def test_a_token_that_can_not_be_renewed_is_used_on_and_asked_for_again_later() -> None:
    source = Source(3600.0)
    made = Tokens(source.read, now=source.clock)
    made.current()
    source.fails = True
    source.now += 3600.0
    assert "token-1" == made.current()
    source.fails = False
    assert "token-1" == made.current(), "not asked again at once"
    source.now += AGAIN
    assert "token-2" == made.current()


def test_without_a_first_token_the_reason_is_told() -> None:
    source = Source(3600.0)
    source.fails = True
    with pytest.raises(UsageError, match="signed in"):
        Tokens(source.read, now=source.clock).current()


def test_after_a_refusal_a_token_is_read_once_for_all_threads() -> None:
    source = Source(3600.0)
    made = Tokens(source.read, now=source.clock)
    refused = made.current()
    assert ["token-2"] * 3 == [made.renewed(refused) for _ in range(3)]


def test_others_go_on_with_the_old_token_while_one_thread_renews() -> None:
    source, entered, leave = Source(3600.0), threading.Event(), threading.Event()

    def slow() -> Token:
        if source.given:
            entered.set()
            leave.wait(30)
        return source.read()

    made = Tokens(slow, now=source.clock)
    made.current()
    source.now += 3600.0
    thread = threading.Thread(target=made.current)
    thread.start()
    assert entered.wait(30)
    assert "token-1" == made.current()
    leave.set()
    thread.join(30)
    assert "token-2" == made.current()


# -- what a source gives ----------------------------------------------------------------------------------------------


def test_the_forms_of_a_token() -> None:
    ends = int(time.time()) + 3000
    assert Token("plain-token") == token_in(" plain-token\n", "w")
    assert Token(jwt(ends), ends) == token_in(jwt(ends), "w")
    for name in ("accessToken", "access_token", "token"):
        assert Token("t-1", ends) == token_in(json.dumps({name: "t-1", "expires_on": str(ends)}), "w")
    soon = token_in(json.dumps({"access_token": "t-1", "expires_in": 60}), "w").ends
    assert soon is not None
    assert 0 < soon - time.time() <= 60
    for odd in ("a.b.c", "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c", json.dumps({"token": "t-1"})):
        assert token_in(odd, "w").ends is None


@pytest.mark.parametrize("text", ["", "{", "{}", '{"token": 5}', '{"token": ""}', "canary one\ncanary two"])
def test_what_is_no_token_is_a_mistake_that_is_not_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as told:
        token_in(text, "w")
    assert "canary" not in str(told.value)


def python(code: str) -> str:
    """A command line for a few lines of Python."""
    return shlex.join([sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (python("import sys; print('canary-1'); sys.stderr.write('canary-2'); sys.exit(3)"), "ended with 3"),
        ("/no/such/program canary-1", "can't be run"),
        ("program canary-1\0", "can't be run"),
        ("'canary-1", "is no command"),
        ("", "is empty"),
        (python("print('canary 1')"), "holds a space"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')"), "not UTF-8"),
    ],
)
def test_a_command_that_gives_no_token_is_told_without_its_output(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as told:
        from_command(line)
    assert "target.token_command" in str(told.value)
    assert "canary" not in str(told.value)


def test_a_command_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.5)
    with pytest.raises(ConfigError, match=r"more than 0\.5 s"):
        from_command(python("import time; time.sleep(60)"))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ('token_command = "x"', "auth is api-key"),
        ('auth = "bearer"\ntoken_command = "x"\nkey_file = "k"', "one place"),
        ('auth = "none"\ntoken_command = "x"', "auth is none"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(target: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f"[target]\n{target}\n")
    with pytest.raises(ConfigError, match=says):
        load_config(tmp_path / "c.toml", {}, {})


# -- in front of a target ---------------------------------------------------------------------------------------------


def test_a_command_is_run_again_before_its_token_ends(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    """Each token here has ended when it is given, so the next one is due after the shortest pause."""
    count = tmp_path / "count"
    count.write_text("")
    line = python(
        f"import json, pathlib; p = pathlib.Path({str(count)!r}); p.write_text(p.read_text() + 'x');"
        "print(json.dumps({'access_token': 'canary-token-%d' % len(p.read_text()), 'expires_on': 1}))"
    )
    server = serve(lambda c, r, n: c.sendall(http({"echo": header_of(r, "authorization")})))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tokens, "AGAIN", 0.0)
        target = open_target(server.url, auth="bearer", key="", token_command=line)
        exchanges = [target.send(CHAT) for _ in range(3)]
    sent = [header_of(request, "authorization") for request in server.requests]
    assert 2 <= len(set(sent))
    assert all(one.startswith("Bearer canary-token-") for one in sent)
    assert not any("canary-token" in repr(exchange) for exchange in exchanges)


def test_a_token_file_is_read_again_before_the_token_ends(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    """No request is refused first: what ends is known from the token itself."""
    old, new = jwt(time.time() - 5, "old"), jwt(time.time() + 3600, "new")
    file = tmp_path / "token"
    file.write_text(new)
    server = serve(lambda c, r, n: c.sendall(http({})))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tokens, "AGAIN", 0.0)
        target = open_target(server.url, auth="bearer", key=old, key_file=str(file))
        assert target.send(CHAT).ok
    assert [f"Bearer {new}"] == [header_of(request, "authorization") for request in server.requests]


def test_a_token_that_is_refused_is_renewed_once(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("")
    line = python(
        f"import pathlib; p = pathlib.Path({str(count)!r}); p.write_text(p.read_text() + 'x');"
        "print('canary-token-%d' % len(p.read_text()))"
    )

    def script(c: socket.socket, request: bytes, number: int) -> None:
        good = number == 1 or header_of(request, "authorization").endswith("2")
        c.sendall(http({}) if good else http({"error": {}}, 401))

    target = open_target(serve(script).url, auth="bearer", key="", token_command=line)
    assert [(200, ""), (200, "")] == [(one.status, one.outside) for one in (target.send(CHAT), target.send(CHAT))]
    assert "xx" == count.read_text()


# -- Microsoft Entra ID -----------------------------------------------------------------------------------------------


@pytest.fixture
def identity(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], dict[str, str]]:
    """The managed identity of a machine: the endpoint that ``azure-identity`` asks. Gives the environment for it."""
    pytest.importorskip("azure.identity")

    def make(token: str, ends: float) -> dict[str, str]:
        def reply(c: socket.socket, request: bytes, number: int) -> None:
            known = header_of(request, "x-identity-header") == "canary-identity"
            value = {"access_token": token, "expires_on": str(int(ends)), "token_type": "Bearer", "resource": "r"}
            c.sendall(http(value) if known else http({"error": "who are you"}, 400))

        env = {
            "IDENTITY_ENDPOINT": f"{serve(reply).url}/msi/token",
            "IDENTITY_HEADER": "canary-identity",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return env

    return make


def test_entra_gives_a_token_and_its_end(identity: Any) -> None:
    ends = int(time.time()) + 3600
    identity("canary-entra-token-1", ends)
    found = from_entra(Settings().token_scope)
    assert found.ends is not None
    # The library takes the whole seconds that are left, and adds them to its clock a moment later.
    assert ("canary-entra-token-1", True) == (found.value, ends <= found.ends <= ends + 1)


def test_a_refusal_of_entra_is_one_line(identity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    identity("canary-entra-token-2", time.time() + 3600)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(UsageError, match="no token of Microsoft Entra ID") as told:
        from_entra(Settings().token_scope)
    assert 1 == len(str(told.value).splitlines())
    assert "az login" in str(told.value)


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(UsageError, match=r"aoai-conformance\[entra\]"):
        from_entra("scope")


def test_the_package_is_not_loaded_without_need(tmp_path: Path) -> None:
    """It takes a second, and most runs have a key."""
    code = "import sys, conformance.run.session, conformance.target.target; print('azure' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=True
    )
    assert "False" == done.stdout.strip()


def test_a_run_with_entra_is_judged_and_keeps_no_token(identity: Any, tmp_path: Path) -> None:
    """Two processes, each with a token of its own; the emulator takes the token and no other."""
    env = identity(CANARY, time.time() + 3600)
    choice = ["--api-version", "2024-06-01", "--scenario", "corpus.embeddings.create", "--profile", "smoke", "-n", "2"]
    with serving(tmp_path, "--api-version", "2024-06-01") as url:
        words = ["--target", url, "--out", str(tmp_path / "out"), *choice]
        done = command(tmp_path, "run", *words, env={**env, "AOAI_TARGET_AUTH": "entra", "AZURE_OPENAI_API_KEY": ""})
    assert 0 == done.code, done.out + done.err
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert files
    assert [] == [file.name for file in files if CANARY.encode() in file.read_bytes()]
    assert CANARY not in done.out + done.err
