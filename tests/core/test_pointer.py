"""JSON Pointers are read as RFC 6901 says, and in one place."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import jsonpointer
import pytest
from hypothesis import given
from hypothesis import strategies as st

import conformance
from conformance.pointer import escape, follow, look_up, matches, pointer_to, tokens

#: The document and the pointers of RFC 6901, section 5.
DOCUMENT = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}
PUBLISHED = [
    ("", DOCUMENT),
    ("/foo", ["bar", "baz"]),
    ("/foo/0", "bar"),
    ("/", 0),
    ("/a~1b", 1),
    ("/c%d", 2),
    ("/e^f", 3),
    ("/g|h", 4),
    ("/i\\j", 5),
    ('/k"l', 6),
    ("/ ", 7),
    ("/m~0n", 8),
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("01-~/a*²", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(("pointer", "value"), PUBLISHED)
def test_the_examples_of_the_standard(pointer: str, value: Any) -> None:
    assert value == look_up(DOCUMENT, pointer)
    assert value == follow(DOCUMENT, "#" + pointer)
    assert pointer == pointer_to(tokens(pointer))


@pytest.mark.parametrize(
    "pointer", ["/nothing", "/foo/2", "/foo/-", "/foo/-1", "/foo/00", "/foo/²", "/foo/x", "/a~1b/x"]
)
def test_what_names_nothing(pointer: str) -> None:
    assert "default" == look_up(DOCUMENT, pointer, "default")
    assert [] == list(matches(DOCUMENT, pointer))
    with pytest.raises(KeyError, match=pointer.rpartition("/")[2]):
        follow(DOCUMENT, pointer)


def test_null_is_a_value() -> None:
    assert look_up({"a": None}, "/a", "default") is None
    assert follow({"a": None}, "/a") is None


@pytest.mark.parametrize("text", ["foo", "foo/bar", "/a~", "/a~2b"])
def test_a_text_that_is_no_pointer(text: str) -> None:
    for read in (tokens, lambda text: look_up({}, text), lambda text: matches({}, text)):
        with pytest.raises(ValueError, match="is no JSON Pointer"):
            read(text)
    with pytest.raises(KeyError):
        follow({"foo": {"bar": 1}}, text)


@given(st.lists(st.text()))
def test_a_path_and_its_pointer_are_the_same_thing(path: list[str]) -> None:
    pointer = pointer_to(path)
    assert tuple(path) == tokens(pointer)
    assert pointer == "".join(f"/{escape(token)}" for token in path)
    assert pointer == jsonpointer.JsonPointer.from_parts(path).path


@given(values)
def test_every_place_is_found_by_its_pointer_and_by_the_library(value: Any) -> None:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, held = waiting.pop()
        pointer = pointer_to(path)
        assert held is look_up(value, pointer)
        assert held is jsonpointer.resolve_pointer(value, pointer)
        inner = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
        waiting.extend(((*path, step), item) for step, item in inner)


def test_a_star_stands_for_every_item_and_every_member_in_their_order() -> None:
    value = {"a": [{"b": 1}, {"c": 2}, {"b": 3}], "b": {"y": [4], "x": [5, 6]}}
    assert [(("a", 0, "b"), 1), (("a", 2, "b"), 3)] == list(matches(value, "/a/*/b"))
    assert [(("b", "y", 0), 4), (("b", "x", 0), 5), (("b", "x", 1), 6)] == list(matches(value, "/b/*/*"))
    assert [((), value)] == list(matches(value, ""))
    assert [] == list(matches(3, "/*"))


def test_no_other_module_takes_a_pointer_apart() -> None:
    package = Path(conformance.__file__).resolve().parent
    homes = [package, *(package.parent / name for name in ("strategies", "reports"))]
    found = set()
    for home in homes:
        for path in home.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                words = node.args if isinstance(node, ast.Call) and "replace" in ast.dump(node.func) else []
                if any(isinstance(word, ast.Constant) and word.value in ("~1", "~0") for word in words):
                    found.add(path.name)
    # this one makes a name of a pointer, for a component that had none
    assert {"importschema.py"} == found
