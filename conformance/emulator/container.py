"""The emulator as a service container of other people's tests, by testcontainers. The image is that of
``ci/Dockerfile``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.emulator.fixture import RunningEmulator
from conformance.errors import UsageError
from conformance.spec.loading import load, versions

__all__ = ["IMAGE", "PORT", "emulator_container"]

#: The name of the image after ``docker build -f ci/Dockerfile -t aoai-conformance .``.
IMAGE = "aoai-conformance"

#: The port inside the container.
PORT = 8080


@contextmanager
def emulator_container(
    image: str = IMAGE, *, api_version: str = "", timeout: float = 60.0
) -> Iterator[RunningEmulator]:
    """Start a container with the emulator, wait until it accepts requests, and remove it in the end.

    ``api_version`` "" is the default one; the key is a new one each time. ``timeout`` is in seconds. Raises
    :class:`UsageError` if testcontainers is not installed, and what testcontainers raises if there is no engine, no
    such image, or no answer in time.
    """
    try:
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy
    except ImportError:
        hint = 'pip install "aoai-conformance[containers]"'
        raise UsageError("testcontainers is not installed", hint=hint) from None
    version = api_version or next(name for name in versions() if load(name).default)
    key = secrets.token_urlsafe(24)
    made = DockerContainer(image).with_exposed_ports(PORT).with_env("AOAI_EMULATOR_KEY", key)
    made.with_command(["serve", "--host", "0.0.0.0", "--port", str(PORT), "--api-version", version])  # noqa: S104 - of the container
    # The first line of `serve`, printed when it listens.
    made.waiting_for(LogMessageWaitStrategy("ready http").with_startup_timeout(int(timeout)))
    with made as container:
        url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(PORT)}"
        yield RunningEmulator(url, key, version, url + load(version).base_path)
