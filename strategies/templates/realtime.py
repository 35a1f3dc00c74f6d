"""Templates for realtime sessions, client secrets and calls."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.requests.session_offer import OFFER

from ..drafts import Draft
from ..template_builders import TemplateContext, template


@template("realtime.client_secrets.create")
def secrets(context: TemplateContext) -> Iterator[Draft]:
    """A secret, plain, with an end, and for each kind of session."""
    yield context.draft("client_secrets.plain", {})
    lasts = {"expires_after": {"anchor": "created_at", "seconds": 60}}
    yield context.draft("client_secrets.expires", lasts)
    yield context.draft("client_secrets.realtime", {**lasts, "session": {"type": "realtime"}})
    yield context.draft("client_secrets.transcription", {**lasts, "session": {"type": "transcription"}})


@template("realtime.calls.create")
def calls(context: TemplateContext) -> Iterator[Draft]:
    """The offer of a browser."""
    yield context.draft("calls.create", {"sdp": OFFER})
    yield context.draft(
        "calls.create.session", {"sdp": OFFER, "session": {"type": "realtime", "model": "{deployment}"}}
    )


@template("realtime.calls.accept")
def accepted(context: TemplateContext) -> Iterator[Draft]:
    """A call is taken; whether it can be depends on its state, here and below."""
    yield context.draft("calls.accept", {"type": "realtime"})
    brief = {"type": "realtime", "instructions": "Answer with one word.", "output_modalities": ["audio"]}
    yield context.draft("calls.accept.session", brief)


@template("realtime.calls.reject")
def rejected(context: TemplateContext) -> Iterator[Draft]:
    """A call is declined, as busy or without a word."""
    yield context.draft("calls.reject", {})
    yield context.draft("calls.reject.busy", {"status_code": 486})


@template("realtime.calls.refer")
def referred(context: TemplateContext) -> Iterator[Draft]:
    """A call is sent elsewhere; the domain is one that nobody has (RFC 2606)."""
    yield context.draft("calls.refer", {"target_uri": "sip:conformance@example.com"})
