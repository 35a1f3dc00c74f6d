"""Headers with a credential are recognised by their names, also by names that the target's owner configured."""

from __future__ import annotations

import pytest

from conformance.requests.headers import REDACTED, redact
from conformance.target.guards import strip


@pytest.mark.parametrize("name", ["api-key", "Authorization", "X-Functions-Key", "x-my-proxy-token", "Client-Secret"])
def test_credentials_are_blanked_and_stripped(name: str) -> None:
    assert ((name, REDACTED),) == redact(((name, "v"),))
    assert () == strip(((name, "v"),), ())


@pytest.mark.parametrize("name", ["content-type", "aoai-evals", "x-ratelimit-remaining-tokens", "apim-request-id"])
def test_other_headers_are_kept(name: str) -> None:
    assert ((name, "v"),) == redact(((name, "v"),)) == strip(((name, "v"),), ())


def test_a_known_secret_is_blanked_wherever_it_stands() -> None:
    assert (("x-echo", REDACTED),) == redact((("x-echo", "you sent canary"),), ("canary",))
