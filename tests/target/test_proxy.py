"""Through a proxy: what it is asked for, that loopback never goes through one, and whose fault its failures are."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.evidence.exchange import FaultKind
from conformance.requests.case import Case
from conformance.target.proxy import Proxy, proxy_for

from .conftest import Open, Serve
from .wire_server import WireServer, http

LIST = Case(operation="assistants.list", method="GET", path="/assistants")
CREATE = Case(operation="assistants.create", method="POST", path="/assistants")
FAR = "far.invalid"
LOGIN = "ann:pass%20word"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets proxy variables; those of the machine are gone."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def make(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return make


class Tunnel:
    """A proxy that answers CONNECT by a tunnel to one port of this machine, whatever host is asked for."""

    def __init__(self, port: int) -> None:
        self.asked: list[bytes] = []
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        self.asked.append(head)
        server = socket.create_connection(("127.0.0.1", self._port))
        self._open += [client, server]
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pour, args=(server, client), daemon=True).start()
        _pour(client, server)

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            one.close()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a TLS server that says it is ``far.invalid``; its certificate is trusted in this test."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={FAR}"]
    words += ["-addext", f"subjectAltName=DNS:{FAR}", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl on this machine, so there is no certificate for a TLS server")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(http({"data": []}))

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def lines_of(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def test_plain_http_goes_to_the_proxy_in_the_absolute_form(
    serve: Serve, open_target: Open, environment: Callable[..., None]
) -> None:
    """RFC 9112 section 3.2.2. User and password go to the proxy alone: they are in no evidence."""
    proxy = serve(lambda c, r, n: c.sendall(http({"data": []})))
    environment(HTTP_PROXY=f"http://{LOGIN}@{proxy.url.removeprefix('http://')}")
    exchange = open_target(f"http://{FAR}", allow_http=True).send(LIST)
    assert 200 == exchange.status
    first, *rest = lines_of(proxy.requests[0])
    assert first.startswith((f"GET http://{FAR}:80/openai/assistants?", f"GET http://{FAR}/openai/assistants?"))
    login = base64.b64encode(b"ann:pass word").decode()
    assert f"proxy-authorization: basic {login}".lower() in [line.lower() for line in rest]
    assert "proxy-authorization" not in {name.lower() for name, _ in exchange.request.headers}
    assert login not in repr(exchange)


def test_https_goes_through_a_tunnel(secure: int, open_target: Open, environment: Callable[..., None]) -> None:
    """The proxy sees the target's name and nothing of the request."""
    tunnel = Tunnel(secure)
    environment(HTTPS_PROXY=tunnel.authority)
    exchange = open_target(f"https://{FAR}").send(LIST)
    tunnel.close()
    assert (200, None) == (exchange.status, exchange.fault)
    assert [f"CONNECT {FAR}:443 HTTP/1.1"] == [lines_of(asked)[0] for asked in tunnel.asked]
    assert not any("api-key" in line.lower() for asked in tunnel.asked for line in lines_of(asked))


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"), (b"", "proxy")],
    ids=["refused", "closed"],
)
def test_a_proxy_that_gives_no_tunnel_is_no_answer_of_the_target(
    serve: Serve, open_target: Open, environment: Callable[..., None], answer: bytes, told: str
) -> None:
    """The target was not reached: its contract is not touched, nothing was created, and no secret is told."""
    proxy = serve(lambda c, r, n: c.sendall(answer) if answer else None)
    environment(HTTPS_PROXY=f"http://{LOGIN}@{proxy.url.removeprefix('http://')}")
    target = open_target(f"https://{FAR}")
    exchange = target.send(CREATE)
    assert exchange.fault is not None
    assert (FaultKind.CONNECT, True) == (exchange.fault.kind, exchange.unreached)
    assert told in exchange.fault.message
    assert proxy.url in exchange.fault.message
    assert "pass" not in exchange.fault.message
    assert target.journal is not None
    assert 0 == target.journal.unknown


def test_a_target_on_this_machine_is_never_reached_through_a_proxy(
    serve: Serve, open_target: Open, environment: Callable[..., None]
) -> None:
    proxy: WireServer = serve(lambda c, r, n: c.sendall(http({"data": []})))
    target = serve(lambda c, r, n: c.sendall(http({"data": []})))
    environment(HTTP_PROXY=proxy.url, ALL_PROXY=proxy.url)
    assert 200 == open_target(target.url).send(LIST).status
    assert (0, 1) == (len(proxy.requests), len(target.requests))


@pytest.mark.parametrize(
    ("origin", "variables", "expected"),
    [
        (f"https://{FAR}", {}, None),
        (f"https://{FAR}", {"HTTP_PROXY": "http://p:1"}, None),
        (f"https://{FAR}", {"HTTPS_PROXY": "http://p:1"}, Proxy("http://p:1")),
        (f"https://{FAR}", {"https_proxy": "p:1"}, Proxy("http://p:1")),
        (f"https://{FAR}", {"ALL_PROXY": "https://p"}, Proxy("https://p")),
        (f"https://{FAR}", {"HTTPS_PROXY": "http://[::1]:1"}, Proxy("http://[::1]:1")),
        (f"https://{FAR}", {"HTTPS_PROXY": "http://a:b%40c@p:1"}, Proxy("http://p:1", ("a", "b@c"))),
        (f"https://{FAR}", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        (f"https://sub.{FAR}", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": f"other.example,.{FAR}"}, None),
        (f"https://{FAR}:8443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": f"{FAR}:8443"}, None),
        (f"https://{FAR}", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": f"not-{FAR}"}, Proxy("http://p:1")),
        ("https://localhost:8443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]", {"ALL_PROXY": "http://p:1"}, None),
    ],
)
def test_the_environment_names_the_proxy(
    environment: Callable[..., None], origin: str, variables: dict[str, str], expected: Proxy | None
) -> None:
    """As curl reads these variables."""
    environment(**variables)
    assert expected == proxy_for(origin)


@pytest.mark.parametrize("named", ["socks5://p:1080", "http://:secret@:1", "ftp://p", "http://p:port"])
def test_a_proxy_of_another_kind_is_refused(environment: Callable[..., None], named: str) -> None:
    """It would be ignored otherwise, and the run would go around it. What it says is not repeated: it may be secret."""
    environment(HTTPS_PROXY=named)
    with pytest.raises(UsageError, match=rf"NO_PROXY={FAR}") as refused:
        proxy_for(f"https://{FAR}")
    assert "secret" not in str(refused.value)
