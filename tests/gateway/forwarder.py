"""A gateway of the tests: it forwards what it gets, byte for byte as far as HTTP allows, but for one alteration."""

from __future__ import annotations

import http.client
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from attrs import define, evolve, field, frozen

Headers = tuple[tuple[str, str], ...]

_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


@frozen
class Message:
    """A request or an answer: ``line`` is ``(method, target)`` or ``(status,)``."""

    line: tuple[str, ...]
    headers: Headers
    body: bytes

    def without(self, *names: str) -> Message:
        """The message without some header fields."""
        return evolve(self, headers=tuple(pair for pair in self.headers if pair[0].lower() not in names))

    def having(self, name: str, value: str) -> Message:
        """The message with one more header field."""
        return evolve(self, headers=(*self.headers, (name, value)))

    def header(self, name: str) -> str:
        """The value of a header field, or ""."""
        return next((value for key, value in self.headers if key.lower() == name), "")


Alter = Callable[[Message], Message]


@frozen
class Alteration:
    """What a gateway does to what passes it. ``extra`` may answer in its place (return a message) or pass (None)."""

    name: str
    request: Alter = lambda message: message
    answer: Alter | None = None
    extra: Callable[[Message, Gateway], Message | None] = lambda message, gateway: None
    whole: bool = False  # the answer is read to its end before a byte of it is sent
    times: int = 1
    at_once: int | None = None  # so many requests are forwarded at once; the others wait, or are refused
    newest_first: bool = False  # of those that wait
    refuses: bool = False  # those that would have to wait


HONEST = Alteration("honest")


@define(eq=False)
class Gateway:
    """A running gateway. ``alteration`` can be changed between requests; ``memory`` is what it keeps of them."""

    upstream: str
    key: str
    url: str = ""
    alteration: Alteration = HONEST
    memory: dict[str, str] = field(factory=dict)
    inside: int = field(default=0, init=False)
    waiting: list[object] = field(factory=list, init=False)
    moved: threading.Condition = field(factory=threading.Condition, init=False)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a turn, as the alteration has it. Yields False for a request that gets none."""
        alteration, ticket = self.alteration, object()
        with self.moved:
            if alteration.refuses and alteration.at_once is not None and self.inside >= alteration.at_once:
                yield False
                return
            self.waiting.append(ticket)

            def mine() -> bool:
                free = alteration.at_once is None or self.inside < alteration.at_once
                return free and self.waiting[-1 if alteration.newest_first else 0] is ticket

            assert self.moved.wait_for(mine, 120)
            self.waiting.remove(ticket)
            self.inside += 1
        try:
            yield True
        finally:
            with self.moved:
                self.inside -= 1
                self.moved.notify_all()

    @contextmanager
    def asked(self, message: Message) -> Iterator[http.client.HTTPResponse]:
        """Send a request to the upstream, and close the connection afterwards."""
        parts = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        method, target = message.line
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in message.headers:
            if name.lower() not in _HOP:
                connection.putheader(name, value)
        connection.putheader("Host", parts.netloc)
        connection.putheader("Content-Length", str(len(message.body)))
        try:
            connection.endheaders(message.body)
            with closing(connection.getresponse()) as answer:
                yield answer
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def answer_all(self) -> None:
        """Forward one request."""
        gateway, alteration = self.gateway, self.gateway.alteration
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        sent = Message((self.command, self.path), tuple(self.headers.items()), body)
        own = alteration.extra(sent, gateway)
        if own is not None:
            self._write(own)
            return
        if not (gateway.memory.get("passes key") or sent.header("api-key") == gateway.key):
            sent = sent.without("api-key").having("api-key", gateway.key)
        with gateway.turn() as admitted:
            if admitted:
                self._forward(alteration.request(sent), gateway)
            else:
                self._write(Message(("429",), (("retry-after", "1"),), b""))

    def _forward(self, request: Message, gateway: Gateway) -> None:
        """Send a request on, and its answer back."""
        alteration = gateway.alteration
        try:
            for _ in range(alteration.times - 1):
                with gateway.asked(request) as first:
                    first.read()
            with gateway.asked(request) as answer:
                self._pass(answer, alteration)
        except (OSError, http.client.HTTPException):
            self._write(Message(("502",), (), b""))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer_all  # noqa: N815 - names of http.server

    def _pass(self, answer: http.client.HTTPResponse, alteration: Alteration) -> None:
        """Pass an answer on, as it comes or as a whole."""
        headers = tuple(answer.getheaders())
        if alteration.answer is not None or alteration.whole:
            try:
                body = answer.read()
            except http.client.IncompleteRead as error:
                body = error.partial
            message = Message((str(answer.status),), headers, body)
            self._write(alteration.answer(message) if alteration.answer is not None else message)
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        length = answer.getheader("content-length")
        self.send_header(*(("Content-Length", length) if length is not None else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        try:
            while data := answer.read1(65536):
                self.wfile.write(data if length is not None else b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            if length is None:
                self.wfile.write(b"0\r\n\r\n")
            elif answer.length:
                self.close_connection = True
        except (OSError, http.client.HTTPException):
            # One of the two sides is gone: the other one must see it.
            self.close_connection = True

    def _write(self, message: Message) -> None:
        self.send_response_only(int(message.line[0]))
        for name, value in message.headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(message.body)))
        self.end_headers()
        self.wfile.write(message.body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is no error."""


@contextmanager
def gateway(upstream: str, key: str) -> Iterator[Gateway]:
    """Run a gateway in front of an upstream."""
    made = Gateway(upstream, key)
    handler = type("Handler", (_Handler,), {"gateway": made})
    with _Server(("127.0.0.1", 0), handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join(10)
