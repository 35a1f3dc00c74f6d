"""No artefact of a run holds a secret: not the run folder, the console, the journal, the cache, JUnit, Allure, pytest.

The servers here echo what they are sent in every place and form, or break the connection with it.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from report_pages import contents
from served import PYTEST, Done, command

from conformance._parts import part

#: Secrets by the place from which they enter. Each is one that only its place can have told.
KEY = "canary-key-3f9a/1c07+be24"
HEADER = "canary-header-77aa1b"
COOKIE = "canary-cookie-90cd2e"
BASIC = "canary-password-11ee"
PROXY = "canary-proxy-4422ff"
SET = "canary-set-cookie-55aa"
SAS = "canarySignature%2F66bb"
SECRETS = (KEY, HEADER, COOKIE, BASIC, PROXY, SET, SAS)

CONFIGURATION = f"""
[target.headers]
x-gateway-token = "Token {HEADER}"
x-plain = "{HEADER}"
cookie = "session={COOKIE}; theme=dark"
authorization = "Basic {base64.b64encode(f"me:{BASIC}".encode()).decode()}"
"""

VERSION = "2024-06-01"
CHOICE = ("--api-version", VERSION, "--scenario", "corpus.embeddings.create", "--profile", "smoke")

Reply = Callable[[socket.socket, bytes], None]


def forms(secret: str) -> tuple[bytes, ...]:
    """What must not be found anywhere: the secret plain, escaped for JSON and URLs, and in base64."""
    plain = secret.encode()
    return (plain, json.dumps(secret)[1:-1].encode(), quote(secret, safe="").encode(), base64.b64encode(plain)[:-4])


def found(data: bytes) -> list[str]:
    """The secrets that some bytes hold."""
    return [secret for secret in SECRETS if any(form in data for form in forms(secret))]


def leaks(folder: Path, done: Done) -> list[str]:
    """Where a secret stands: the files below a folder, and both outputs."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name not in ("key", "c.toml")]
    made = [f"{file.relative_to(folder)}: {each}" for file in files for each in found(contents(file))]
    return made + [f"console: {each}" for each in found((done.out + done.err).encode())]


@contextmanager
def server(reply: Reply) -> Iterator[str]:
    """A server on a free port that answers each request by ``reply`` and closes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                data = b""
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, rest = data.partition(b"\r\n\r\n")
                named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                length = int(named[0][15:]) if named else 0
                while len(rest) < length:
                    rest += connection.recv(65536)
                reply(connection, head + b"\r\n\r\n" + rest)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def sent_secrets(request: bytes) -> list[str]:
    """What a server learns from a request, and what it would add itself."""
    return [secret for secret in SECRETS if secret.encode() in request] + [BASIC]


def _http(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    own = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*own, *headers]).encode() + b"\r\n\r\n" + body


def everywhere(connection: socket.socket, request: bytes) -> None:
    """Each secret in headers, in the reason, in a body of JSON, a URL, and base64."""
    told = [*sent_secrets(request), SET]
    body = {
        "id": told[0],
        "plain": told,
        "url": [f"https://a.example/?k={quote(each, safe='')}&sig={SAS}" for each in told],
        "base64": [base64.b64encode(f"Bearer {each}".encode()).decode() for each in told],
        "request": request.decode("latin-1"),
        "userinfo": f"https://me:{told[0]}@proxy.example/",
    }
    headers = [f"X-Echo-{n}: you sent {each}" for n, each in enumerate(told)] + [f"Set-Cookie: id={SET}; Path=/"]
    connection.sendall(_http(json.dumps(body).encode(), *headers, status=f"200 {told[0]}"))


def escaped(connection: socket.socket, request: bytes) -> None:
    """Every character as an escape of JSON, in a refusal."""
    told = ["".join(f"\\u{ord(char):04x}" for char in each) for each in sent_secrets(request)]
    body = '{"error": {"code": "' + told[0] + '", "message": "' + " ".join(told) + '"}}'
    connection.sendall(_http(body.encode(), status="400 Bad Request"))


def in_pieces(connection: socket.socket, request: bytes) -> None:
    """An event stream, each byte of which is a chunk of its own."""
    events = b"".join(f"data: {json.dumps({'echo': each})}\n\n".encode() for each in sent_secrets(request))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"".join(b"1\r\n%c\r\n" % byte for byte in events) + b"0\r\n\r\n")


def in_html(connection: socket.socket, request: bytes) -> None:
    page = "<html>" + "".join(f"<p>{each}</p>" for each in sent_secrets(request))
    connection.sendall(_http(page.encode(), status="502 Bad Gateway", kind="text/html"))


def cut(connection: socket.socket, request: bytes) -> None:
    """A body that breaks off behind the secrets."""
    told = " ".join(sent_secrets(request)).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n" + told)


def no_http(connection: socket.socket, request: bytes) -> None:
    """What the HTTP library can't read: it quotes it in its error."""
    connection.sendall(f"{' '.join(sent_secrets(request))}\r\n\r\n".encode())


def bad_header(connection: socket.socket, request: bytes) -> None:
    """A header line that the library refuses, with the secret in it."""
    connection.sendall(f"HTTP/1.1 200 OK\r\n{sent_secrets(request)[0]} : \x01\r\n\r\n".encode())


def refused(connection: socket.socket, request: bytes) -> None:
    connection.sendall(_http(json.dumps({"error": sent_secrets(request)}).encode(), status="401 Unauthorized"))


REPLIES = (everywhere, escaped, in_pieces, in_html, cut, no_http, bad_header, refused)


def run(folder: Path, url: str, *more: str, words: Sequence[str] = (), key: str = KEY) -> Done:
    """A run with all kinds of secrets. Everything that it writes lies below the folder."""
    (folder / "c.toml").write_text(CONFIGURATION)
    for name in ("tmp", "cache", "state"):
        (folder / name).mkdir(exist_ok=True)
    places = {name: str(folder / "tmp") for name in ("TMPDIR", "TEMP", "TMP")}
    env = {
        **places,
        "AZURE_OPENAI_API_KEY": key,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HTTP_PROXY": f"http://me:{PROXY}@127.0.0.1:9",
        "AOAI_TARGET_RETRIES": "0",
        "AOAI_TARGET_TIMEOUTS_READ": "2",
    }
    given = ["--config", str(folder / "c.toml"), "--target", url, "--out", str(folder / "out"), *CHOICE, *more]
    if words:
        given = [word.replace("--", "--aoai-", 1) if word.startswith("--") else word for word in given]
        return command(folder, *words, *given, env=env, ours=False)
    return command(folder, "run", *given, "--alluredir", str(folder / "allure"), env=env)


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.__name__)
def test_no_artefact_of_a_run_holds_a_secret(reply: Reply, tmp_path: Path) -> None:
    with server(reply) as url:
        done = run(tmp_path, url)
    assert [] == leaks(tmp_path, done)
    assert done.code in (1, 2, 3), done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_pytest_itself_shows_no_secret(tmp_path: Path) -> None:
    """With tracebacks, local variables and the output of every item."""
    with server(everywhere) as url:
        shown = ("-l", "-rA", "--tb=long", "-p", "no:cacheprovider", "--junitxml", str(tmp_path / "junit.xml"))
        done = run(tmp_path, url, words=[*PYTEST, "--pyargs", "conformance", "-p", "aoai_conformance_pytest", *shown])
    assert (tmp_path / "junit.xml").is_file(), done.out + done.err
    assert [] == leaks(tmp_path, done)


def test_a_key_that_is_read_again_is_hidden_as_well(tmp_path: Path) -> None:
    """The key file changes during the run; the server echoes the old and the new key."""
    new = "canary-renewed-8811aa"
    file = tmp_path / "key"
    file.write_text(KEY)

    def reply(connection: socket.socket, request: bytes) -> None:
        if b"/embeddings" in request and KEY.encode() in request and file.read_text() == KEY and b'"input"' in request:
            file.write_text(new)
        ours = new if new.encode() in request else KEY
        status = "401 Unauthorized" if ours == KEY and file.read_text() == new else "200 OK"
        connection.sendall(_http(json.dumps({"id": ours, "was": [KEY, new]}).encode(), status=status))

    with server(reply) as url:
        done = command(
            tmp_path,
            *("run", "--target", url, "--out", str(tmp_path / "out"), *CHOICE),
            env={"AOAI_TARGET_KEY_FILE": str(file)},
        )
    assert new == file.read_text(), done.out + done.err
    data = b"".join(contents(each) for each in (tmp_path / "out").rglob("*") if each.is_file())
    assert KEY.encode() not in data + done.out.encode() + done.err.encode()
    # What the server echoed before the key was read again was no secret of ours at that time.
    lines = [line for line in data.splitlines() if new.encode() in line and b'"type":"exchange"' in line]
    assert [] == [line[:200] for line in lines if b"[redacted]" not in line]


BAD = {
    "newline": "canary-3f9a\n61c07be",
    "NUL": "canary-3f9a\x0061c07be",
    "BOM": "\ufeffcanary-3f9a61c07be",
    "non-ASCII": "canary-3f9ä61c07be",
    "space": "canary-3f9a 61c07be",
}


@pytest.mark.parametrize("key", BAD.values(), ids=BAD)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_key_that_http_can_not_carry_is_a_mistake_that_is_not_printed(key: str, where: str, tmp_path: Path) -> None:
    if where == "file":
        (tmp_path / "key").write_text(key, "utf-8")
        env = {"AOAI_TARGET_KEY_FILE": str(tmp_path / "key")}
    elif "\0" in key:
        pytest.skip("the environment of a process holds no NUL")
    else:
        env = {"AZURE_OPENAI_API_KEY": key}
    done = command(tmp_path, "run", "--target", "http://127.0.0.1:9", *CHOICE, env=env)
    assert 2 == done.code, done.out + done.err
    assert 1 == len(done.lines)
    assert "the key holds a" in done.err
    assert [] == [part for part in ("canary", "61c07be", "3f9a") if part in done.out + done.err]


HEADERS = ("x-gateway-token", "cookie", "authorization")


@pytest.mark.parametrize("value", [BAD["newline"], BAD["NUL"]], ids=["newline", "NUL"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_http_can_not_carry_is_a_mistake_that_is_not_printed(
    name: str, value: str, tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text(f"[target.headers]\n{name} = {json.dumps(value)}\n", "utf-8")
    given = ("--config", str(tmp_path / "c.toml"), "--target", "http://127.0.0.1:9")
    done = command(tmp_path, "run", *given, *CHOICE)
    assert 2 == done.code, done.out + done.err
    assert 1 == len(done.lines)
    assert name in done.err
    assert [] == [part for part in ("canary", "61c07be", "3f9") if part in done.out + done.err]


@pytest.mark.parametrize("value", [BAD["BOM"], BAD["non-ASCII"], "s"], ids=["BOM", "non-ASCII", "one character"])
@pytest.mark.parametrize("name", HEADERS)
def test_odd_values_of_headers_are_hidden_where_they_are_echoed(name: str, value: str, tmp_path: Path) -> None:
    """HTTP carries them (RFC 9110 section 5.5), and a server may read their bytes as UTF-8 or as Latin-1."""
    (tmp_path / "c.toml").write_text(f"[target.headers]\n{name} = {json.dumps(value)}\n", "utf-8")
    read = (value, value.encode().decode("latin-1"))

    def reply(connection: socket.socket, request: bytes) -> None:
        head = request.partition(b"\r\n\r\n")[0].decode("latin-1")
        told = {"utf-8": read[0], "latin-1": read[1], "head": head, "in": [f"x={one}" for one in read]}
        body = json.dumps(told).encode() + b"\n" + json.dumps(told, ensure_ascii=False).encode()
        connection.sendall(_http(json.dumps(told).encode(), status="400 Bad Request"))
        connection.sendall(body)

    with server(reply) as url:
        given = ("--target", url, "--config", str(tmp_path / "c.toml"), "--out", str(tmp_path / "out"), "--har")
        done = command(tmp_path, "run", *given, *CHOICE, env={"AZURE_OPENAI_API_KEY": KEY})
    data = b"".join(contents(each) for each in (tmp_path / "out").rglob("*") if each.is_file())
    data += (done.out + done.err).encode()
    assert b"x-gateway-token" in data.lower() or b"cookie" in data.lower() or b"authorization" in data.lower()
    if len(value) == 1:  # as a value of its own; it is a letter of every word
        assert b'"utf-8": "s"' not in data
        assert b'"utf-8\\": \\"s\\"' not in data
        assert f"{name}: s\\r\\n".encode() not in data
        return
    shown = [*read, *(json.dumps(one)[1:-1] for one in read), *(quote(one, safe="") for one in read), "61c07be"]
    assert [] == [one for one in shown if one.encode() in data]
    assert "Traceback" not in done.out + done.err


def test_traffic_as_har_and_echoed_forms_hold_no_secret(tmp_path: Path) -> None:
    """The server gives back whole forms, with their headers; the run writes all of its traffic as HAR."""
    with server(everywhere) as url:
        chosen = ("--api-version", "2023-11-06-beta", "--scenario", "corpus.files.upload", "--har")
        done = run(tmp_path, url, *chosen)
    traffic = b"".join(har.read_bytes() for har in (tmp_path / "out").rglob("*.har"))
    assert b"multipart/form-data" in traffic, done.out + done.err
    assert [] == leaks(tmp_path, done)
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize("key", ["k", "key7"])
def test_a_short_key_is_hidden_where_it_stands_as_a_value(key: str, tmp_path: Path) -> None:
    """It is part of many words, so only whole values are replaced; the report stays readable."""

    def reply(connection: socket.socket, request: bytes) -> None:
        body = json.dumps({"echo": key, "k2": "kkey7k"}).encode()
        connection.sendall(_http(body, f"X-Echo: {key}", f"X-Say: got {key}"))

    with server(reply) as url:
        done = command(
            tmp_path,
            *("run", "--target", url, "--out", str(tmp_path / "out"), *CHOICE),
            env={"AZURE_OPENAI_API_KEY": key},
        )
    report = part("reports.jsonl").read(tmp_path / "out" / VERSION)
    answers = [seen.exchange.response for trace in report.traces.values() for seen in trace]
    assert answers, done.out + done.err
    assert "the key has fewer than 8 characters" in done.out
    for answer in answers:
        headers = dict(answer.headers)
        assert ("[redacted]", "[redacted]") == (headers["X-Echo"], headers["X-Say"])
        assert {"echo": "[redacted]", "k2": "kkey7k"} == json.loads(answer.body)
        assert "application/json" == headers["Content-Type"]


def test_a_wrong_certificate_and_a_wrong_configuration_tell_no_secret(tmp_path: Path) -> None:
    """Errors before the first answer: TLS, an unknown proxy, a header that HTTP can't carry, a key in the file."""
    with server(lambda connection, request: None) as url:
        done = run(tmp_path, url.replace("http", "https"))
    assert (3, []) == (done.code, leaks(tmp_path, done)), done.err
    wrong = {
        "header": f'[target.headers]\nx-a = "{HEADER}\\n{HEADER}"\n',
        "name": f'[target.headers]\n"{HEADER} x" = "a"\n',
        "key": f'[target]\nkey = "{KEY}"\n',
        "auth": f'[target]\nauth = "{KEY}"\n',
        "url": f'[target]\nurl = "https://me:{BASIC}@host.example"\n',
        "text": f"[target]\nkey_file = {KEY}\n",
    }
    for name, text in wrong.items():
        (tmp_path / "c.toml").write_text(text)
        done = command(tmp_path, "run", "--config", str(tmp_path / "c.toml"), *CHOICE)
        assert 2 == done.code, name
        if name in ("header", "key", "url", "text"):
            assert [] == found((done.out + done.err).encode()), (name, done.err)


@pytest.mark.prove
def test_a_journal_that_stays_holds_no_secret(tmp_path: Path) -> None:
    """The server gives the key as the id of what it creates and removes nothing: the journal is kept for a cleanup."""

    def reply(connection: socket.socket, request: bytes) -> None:
        gone = request.startswith(b"DELETE")
        status = "500 Internal Server Error" if gone else "200 OK"
        value = {"id": KEY, "object": "assistant", "echo": sent_secrets(request)}
        connection.sendall(_http(json.dumps(value).encode(), status=status))

    with server(reply) as url:
        chosen = ("--api-version", "2024-05-01-preview", "--scenario", "lifecycle.assistants", "--profile", "standard")
        done = run(tmp_path, url, *chosen)
    assert [*tmp_path.rglob("journal-*.jsonl")], done.out + done.err
    assert [] == leaks(tmp_path, done)
    assert "Traceback" not in done.out + done.err
