"""A secret is found in every form that servers and libraries give it, and ordinary text is left alone."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import traceback
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import ConfigError, HarnessError
from conformance.redaction import HIDDEN, MOST_COOKIES, PROCESS, REDACTED, Secrets, looks_random, parts_of

#: A key with every character that some escape changes.
KEY = "canary/7+d1f=\"0a&9c<55>e24'b\\x%y"


def secrets(*values: str, words: frozenset[str] = frozenset()) -> Secrets:
    made = Secrets(words)
    made.add(*values)
    return made


def mixed(secret: str, seed: int) -> str:
    """The secret with each character in another escape."""
    choose = random.Random(seed)
    ways = (lambda c: c, lambda c: f"\\u{ord(c):04x}", lambda c: f"%{ord(c):02X}", lambda c: f"&#{ord(c)};")
    return "".join(choose.choice(ways)(char) for char in secret)


FORMS = {
    "plain": KEY,
    "JSON": json.dumps(KEY),
    "JSON in JSON": json.dumps(json.dumps(KEY)),
    "JSON with escaped slashes": json.dumps(KEY).replace("/", "\\/"),
    "URL": quote(KEY, safe=""),
    "URL in small letters": quote(KEY, safe="").lower().replace("canary", "canary"),
    "form": quote_plus(KEY),
    "HTML": html.escape(KEY),
    "repr": repr(KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 of a login": base64.urlsafe_b64encode(f"me:{KEY}!".encode()).decode(),
    **{f"mixed {seed}": mixed(KEY, seed) for seed in range(5)},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_secret_is_replaced(form: str) -> None:
    told = f'before "{FORMS[form]}" behind'
    text = secrets(KEY).text(told)
    assert REDACTED in text
    assert text.startswith("before ")
    assert text.endswith(" behind")
    # In base64 the edges, and what stands around the key, stay.
    assert len(text.replace(REDACTED, "")) - len('before "" behind') <= (16 if form.startswith("base64") else 6)


@pytest.mark.parametrize("unit", ["%{:02X}", "%{:02x}", "\\u{:04x}", "\\u{:04X}"])
def test_a_long_token_is_replaced_if_each_character_is_escaped(unit: str) -> None:
    token = "eyJhbGciOi.J9-k/_=" * 60
    assert f"<{REDACTED}>" == secrets(token).text(f"<{''.join(unit.format(ord(char)) for char in token)}>")


@pytest.mark.parametrize("secret", ["canary-3f9ä61c07be", "\ufeffcanary-3f9a61c07be", "пароль-3f9", "🔑canary-3f9"])
def test_a_secret_whose_utf8_was_read_as_latin1_is_replaced(secret: str) -> None:
    """So HTTP libraries show the bytes of a header. A server that echoes it writes that as JSON."""
    hidden = secrets(secret)
    read = secret.encode().decode("latin-1")
    for text in (read, json.dumps(read), json.dumps(json.dumps(read)), quote(read, safe=""), html.escape(read)):
        assert hidden.text(text).strip('"\\') == REDACTED
        assert hidden.data(text.encode()).strip(b'"\\') == REDACTED.encode()
    assert "Ã¤ and ä" == hidden.text("Ã¤ and ä")


@given(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=8, max_size=40), st.integers(0, 99), st.data())
def test_a_secret_is_found_wherever_it_is_cut(secret: str, seed: int, data: st.DataObject) -> None:
    """An answer arrives in pieces: together they hold no secret, and everything else in its order."""
    whole = f"<<{mixed(secret, seed)}>>{secret}||".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    kept = secrets(secret).pieces(pieces)
    assert len(pieces) == len(kept)
    assert secret.encode() not in b"".join(kept)
    assert b"".join(kept).startswith(b"<<") or secret.startswith("<")
    assert pieces == list(secrets("something-else").pieces(pieces))


def test_what_is_known_by_its_form_is_replaced_too() -> None:
    """Signatures of SAS URLs, users and passwords in URLs; the URL remains one."""
    hidden = Secrets()
    assert "https://a.blob.example/c?sv=1&sig=redacted&se=2" == hidden.text(
        "https://a.blob.example/c?sv=1&sig=Ab%2Fc+d%3D&se=2"
    )
    assert b'{"u":"https://a/?x=1\\u0026sig=redacted"}' == hidden.data(b'{"u":"https://a/?x=1\\u0026sig=AbCd%3D"}')
    assert "https://redacted@proxy.example:3128 is down" == hidden.text("https://me:pass@proxy.example:3128 is down")
    assert b"http:\\/\\/redacted@h\\/" == hidden.data(b"http:\\/\\/u:p@h\\/")
    for text in ("mail me@example.org, see https://example.org/a@b", "design=1&sign=2", "https://example.org/?sig"):
        assert text == hidden.text(text)


@pytest.mark.parametrize(
    "told",
    [
        '{"value": "SECRET", "expires_at": 1756310470, "session": {"type": "realtime"}}',
        '{"expires_at":1756310470,"value":"SECRET"}',
        '{"id": "sess_1", "client_secret": {"value": "SECRET", "expires_at": 0}, "modalities": []}',
        '{"client_secret": {\n  "expires_at": null,\n  "value": "SECRET"\n}}',
        '{"client_secret": {"value": "SECRET"}}',
        '{"client_secret": "SECRET"}',
    ],
)
@pytest.mark.parametrize("secret", ["ek_68af296e8e408191a1120ab6383263c2", "x", 'a \\"b\\\\', "ek_1"])
def test_a_secret_that_the_target_made_for_a_client_is_hidden(told: str, secret: str) -> None:
    """By its place, whatever it looks like and however it is cut. An answer may show it, so it is no echo of ours."""
    hidden, text = Secrets(), told.replace("SECRET", secret)
    kept = told.replace("SECRET", HIDDEN)
    assert (kept, kept) == (hidden.text(text), hidden.text(kept))
    for place in range(len(text)):
        assert kept.encode() == b"".join(hidden.pieces((text[:place].encode(), text[place:].encode())))


def test_an_ephemeral_key_is_known_by_its_prefix_wherever_it_stands() -> None:
    """The published documents show such keys as ``ek_…``."""
    key = "ek_68af296e8e408191a1120ab6383263c2"
    for told in ("Bearer {}", '{{\\"token\\":\\"{}\\"}}', "wss://host/realtime?key={}&x=1", "<b>{}</b>"):
        assert told.format(HIDDEN) == Secrets().text(told.format(key))


def test_what_is_no_secret_of_a_client_stays() -> None:
    for text in (
        '{"text": {"value": "a long text", "annotations": []}}',
        '{"expires_at": 1756310470, "status": "completed", "value": "a"}',
        '{"value": "a", "created_at": 1, "expires_at": 2}',
        '{"client_secret": null, "value": "a"}',
        "week_of_conformance, ek_ and seek_position_of",
    ):
        assert text == Secrets().text(text)


def test_a_credential_that_comes_back_as_a_client_secret_is_still_told() -> None:
    hidden = secrets("credential-0123456789")
    text = hidden.text('{"client_secret": {"value": "credential-0123456789"}}')
    assert '{"client_secret": {"value": "[redacted]"}}' == text == hidden.text(text)


def test_a_secret_of_a_client_without_end_is_read_once() -> None:
    """A target may send megabytes of it, or of what looks like its beginning."""
    for end in ("", '"}'):
        text = '{"client_secret": "' + '\\n\\"value\\":' * 500_000 + end
        assert f'{{"client_secret": "{HIDDEN}{end}' == Secrets().text(text)
    begun = '"client_secret": {"value", "expires_at": 1, "value": ' * 100_000 + "1"
    kept = begun.replace('"value": "client_secret"', f'"value": "{HIDDEN}"')
    assert kept == Secrets().text(begun)


@pytest.mark.parametrize("key", ["k", "1", "key", "secret7"])
def test_a_short_secret_is_replaced_where_secrets_stand_and_nowhere_else(key: str) -> None:
    hidden = secrets(key)
    told = {"value": f'{{"echo": "{key}", "n": 1}}', "query": f"a={key}&b=2", "bearer": f"Bearer {key}"}
    assert [] == [name for name, text in told.items() if hidden.text(text) == text]
    assert REDACTED == hidden.header("x-echo", key) == hidden.header("x-echo", f"you sent {key}")
    for text in (f'{{"{key}": 1}}', f"skkeyk1secret7s {key}nob", '{"n": 1, "id": 11}', f"the {key}2 of 1 key"):
        assert text == hidden.text(text)
    for name, value in (("content-type", "application/json; charset=k"), ("content-length", "1"), ("x-a", "kk11keys")):
        assert value == hidden.header(name, value)


def test_a_secret_that_is_a_word_of_the_api_is_replaced_in_headers_alone() -> None:
    """``"role": "assistant"`` is no echo of a key of that name: without it the target would be accused."""
    hidden = secrets("assistant", words=frozenset({"assistant"}))
    assert '{"role": "assistant"}' == hidden.text('{"role": "assistant"}')
    assert REDACTED == hidden.header("x-echo", "assistant")


def test_what_is_secret_in_a_configured_header() -> None:
    assert ("Bearer abc-def", "abc-def") == parts_of("Bearer abc-def")
    login = base64.b64encode(b"me:pass-word").decode()
    assert (f"Basic {login}", login, "me:pass-word", "pass-word") == parts_of(f"Basic {login}")
    assert ("a=1; session=xyz", "1", "xyz") == parts_of("a=1; session=xyz")
    for ordinary in ("application/json", "true", "2024-05-01-preview", "assistants=v2", ""):
        assert "xyz" not in parts_of(ordinary)
        assert ordinary not in parts_of(ordinary)


def test_cookies_that_may_be_the_key_to_a_session_are_remembered_up_to_a_limit() -> None:
    hidden = Secrets()
    hidden.cookies(["id=canary-cookie-01; Path=/; HttpOnly", "short=x", *(f"n={n:015d}x" for n in range(1000))])
    assert HIDDEN == hidden.text("canary-cookie-01")
    assert MOST_COOKIES == len(hidden.values)


@pytest.mark.parametrize("cookie", ["region=westeurope", "size=1234567890123456", "theme=dark-and-rather-long"])
def test_a_cookie_that_looks_like_a_word_is_hidden_by_its_header_alone(cookie: str) -> None:
    """``Set-Cookie`` is secret by name. Elsewhere the word may stand for what it says."""
    hidden = Secrets()
    hidden.cookies([f"{cookie}; Path=/"])
    assert frozenset() == hidden.values


def test_what_only_may_be_a_secret_has_a_mark_of_its_own() -> None:
    """An answer may show it, so nothing that is said of credentials may be said of it."""
    hidden = secrets(KEY)
    hidden.add("gpt-4o-mini", "blue", credential=False)
    assert f'{{"model": "{HIDDEN}", "key": "{REDACTED}"}}' == hidden.text(f'{{"model": "gpt-4o-mini", "key": "{KEY}"}}')
    assert (HIDDEN, REDACTED) == (hidden.header("x-color", "blue"), hidden.header("x-key", KEY))
    hidden.add("gpt-4o-mini")
    assert REDACTED == hidden.text("gpt-4o-mini")


def test_what_nobody_writes_by_chance() -> None:
    random_ones = (
        "0123456789abcdef0",
        "5e1f07b9-c2a8-4d36-9f00-0011aabbccdd",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.x.y",
    )
    assert [] == [value for value in random_ones if not looks_random(value)]
    words = ("gpt-4o-mini-2024-07-18", "westeurope", "text-embedding-3-large", "internationalization", "my-gpt4o")
    assert [] == [value for value in words if looks_random(value)]


@pytest.mark.parametrize(
    ("secret", "text", "kept"),
    [
        ("abcdefgh&ijklmnop", "https://h/?a=1&sig=abcdefgh&ijklmnop&b=2", "https://h/?a=1&sig=[redacted]&b=2"),
        ("uid=12345678&sig=Zz", "https://h/?uid=12345678&sig=Zz&b=2", "https://h/?[redacted]&b=2"),
        ("12345678", "https://h/?sig=abc12345678def", "https://h/?sig=[redacted]"),
        ("ss/host.ex", "https://me:pass@h/pass/host.example", "https://redacted@h/pa[redacted]ample"),
    ],
)
def test_a_secret_beside_a_signature_is_replaced_whole(secret: str, text: str, kept: str) -> None:
    hidden = secrets(secret)
    assert kept == hidden.text(text)
    assert kept.encode() == hidden.data(text.encode())
    # However it is cut.
    for place in range(len(text)):
        assert kept.encode() == b"".join(hidden.pieces((text[:place].encode(), text[place:].encode())))


@pytest.mark.parametrize("before", ["\\", "\\\\u", '\\"', "&#0", "%5c"])
def test_escapes_without_end_are_searched_once(before: str) -> None:
    """A target may send megabytes of them. A search that is quadratic in them would not end within hours."""
    text = before * 1_000_000
    assert text + REDACTED == secrets(KEY).text(text + json.dumps(KEY)[1:-1])


def test_no_error_message_holds_a_secret_that_this_process_knows() -> None:
    """Whatever raises it, and however it is shown."""
    key = "canary-" + "".join(random.Random(1).choices(string.ascii_letters, k=20))
    secrets(key)
    assert key in PROCESS.values
    for error in (
        ConfigError(f"bad {key}", where=f"u/{key}", hint=key),
        HarnessError(f"Illegal header {key.encode()!r}"),
    ):
        shown = "".join(traceback.format_exception(error)) + str(error) + repr(error) + repr(vars(error))
        assert key not in shown
        assert REDACTED in str(error)


def test_a_header_field_that_was_seen_before_hides_a_secret_that_became_known_since() -> None:
    """What was found in a field is remembered, until there are more secrets."""
    secrets = Secrets()
    first = secrets.header("x-echo", "token-abcdef-123456")
    secrets.add("token-abcdef-123456")
    assert ("token-abcdef-123456", REDACTED) == (first, secrets.header("x-echo", "token-abcdef-123456"))


def test_a_short_secret_in_a_field_of_the_framing_is_not_taken_for_the_field_seen_before() -> None:
    secrets = Secrets()
    secrets.add("17")
    assert ("17", REDACTED) == (secrets.header("content-length", "17"), secrets.header("x-echo", "17"))
