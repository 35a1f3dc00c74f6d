"""Which answers need no look at their texts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from conformance.evidence.text_damage import damage, shows_none, strings

#: Texts as they come, beside those that show damage: UTF-8 read as Latin-1, half a surrogate pair, U+FFFD, C1.
TEXTS = st.text(st.characters(codec=None)) | st.sampled_from(["Ã¼ber", "\ud83d", "cut \ufffd", "\x85", "plain"])
VALUES = st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


@given(VALUES, st.booleans())
def test_a_body_whose_texts_are_left_alone_has_no_damaged_one(value: object, escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    damaged = [text for _, text in strings(value) if damage(text) is not None]
    assert not (damaged and shows_none(body))


def test_an_ascii_body_without_escapes_is_left_alone() -> None:
    assert (True, False, False) == (
        shows_none(b'{"text":"plain \\n\\"x\\""}'),
        shows_none(b'{"text":"\\u00fc"}'),
        shows_none('{"text":"ü"}'.encode()),
    )
