"""The upstream of a gateway under test: the emulator, which notes what arrives, on a known port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.recorder import recording
from conformance.emulator.server import asgi
from conformance.emulator.store import Clock
from conformance.emulator.tape import Tape
from conformance.errors import UsageError
from conformance.spec.spec import Spec

__all__ = ["Upstream", "upstream"]

#: Seconds by which the clock of the upstream is late.
_YEAR = 365 * 86_400.0


@frozen
class Upstream:
    """A running upstream: where it is, the key that it asks for, and its tape."""

    url: str
    key: str
    tape: Tape

    @property
    def authority(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def told(self, model: str, version: str) -> tuple[str, ...]:
        """How common gateways are pointed at it, one line each."""
        return (
            f"upstream: {self.url}   key: {self.key}   api-version: {version}",
            f"  environment: AZURE_OPENAI_ENDPOINT={self.url} AZURE_OPENAI_API_KEY={self.key}",
            # With HTTP/1.0, which is nginx's default, an answer that broke off looks like one that ended.
            f'  nginx:       proxy_pass {self.url}; proxy_http_version 1.1; proxy_set_header Connection "";',
            f"  LiteLLM:     model: azure/{model}, api_base: {self.url}, api_key: {self.key}, api_version: {version}",
        )


@contextmanager
def upstream(
    specs: Sequence[Spec], settings: Settings, *, host: str, port: int, file: Path | None, keys: Sequence[str] = ()
) -> Iterator[Upstream]:
    """Run the recording emulator in a thread of this process. ``keys`` are accepted too: those of clients.

    They are accepted so that a gateway that passes the client's key on is told as that, and not as one whose every
    request is refused. Raises :class:`UsageError` if it can't listen or the ``file`` can't be written.
    """
    try:
        tape = Tape(file, (settings.key, *keys))
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=str(file)) from None
    # Its clock is a year late: a gateway that writes its own time into an answer is seen, whatever second it is.
    app = App(specs, settings.accepting(*keys), Clock(offset=-_YEAR))
    with closing(tape), ExitStack() as serving:
        try:
            url = serving.enter_context(recording(asgi(app), tape, host=host, port=port))
        except OSError as error:
            hint = "another --upstream-port, or 0 for a free one"
            raise UsageError(f"can't listen on {host}:{port}: {error.strerror or error}", hint=hint) from None
        yield Upstream(url, settings.key, tape)
