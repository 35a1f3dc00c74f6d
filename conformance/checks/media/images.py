"""Checks of images: their number and their form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import streams, value_at
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

IMAGES = ("images.generations.create", "images.edits.create")
posted = asked("POST", r"/images/(generations|edits)")


def _plain(spec: Spec, case: Case) -> bool:
    """The request asks for no stream."""
    return not streams(spec, case)


def _wanted(case: Case) -> int:
    """The requested number of images."""
    many = value_at(case, "/n")
    return many if isinstance(many, int) and not isinstance(many, bool) else 1


def _pictures(seen: Observation) -> list[Any]:
    """The entries of ``data``."""
    data = seen.json.get("data") if isinstance(seen.json, dict) else None
    return data if isinstance(data, list) else []


def _one_more(value: Any, _request: Request) -> Any:
    """Counterexample: there is one image more than requested."""
    return {**value, "data": [*value["data"], value["data"][-1]]} if value.get("data") else None


@check(
    "images.count",
    Level.MUST,
    clause="images-count",
    counterexample=on_json(_one_more, when=posted),
    operations=IMAGES,
    about=_plain,
    needs=Needs.SUCCESS,
)
def count(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The answer has ``n`` images; one without ``n``. Every image is billed."""
    wanted, found = _wanted(seen.case), len(_pictures(seen))
    if found != wanted:
        yield seen.finding("another number of images", place="/data", expected=wanted, actual=found)


def _asks_for_form(spec: Spec, case: Case) -> bool:
    """The request asks for a form."""
    return _plain(spec, case) and value_at(case, "/response_format") in ("url", "b64_json")


def _other_form(value: Any, request: Request) -> Any:
    """Counterexample: images come in another form than requested."""
    form = (request.json or {}).get("response_format")
    data = value.get("data")
    if form not in ("url", "b64_json") or not isinstance(data, list) or not data:
        return None
    other = {} if form == "url" else {"url": "https://example.com/image.png"}
    kept = [{k: v for k, v in item.items() if k not in ("url", "b64_json")} for item in data]
    return {**value, "data": [{**item, **other} for item in kept]}


@check(
    "images.form",
    Level.MUST,
    clause="images-response-format",
    counterexample=on_json(_other_form, when=posted),
    operations=IMAGES[:1],
    about=_asks_for_form,
    needs=Needs.SUCCESS,
)
def form(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``response_format: url`` every image has a URL, with ``b64_json`` its bytes in base64."""
    wanted = value_at(seen.case, "/response_format")
    for index, item in enumerate(_pictures(seen)):
        value = item.get(wanted) if isinstance(item, dict) else None
        if not isinstance(value, str) or not value or (wanted == "b64_json" and not _decodes(value)):
            yield seen.finding(f"no {wanted}", place=f"/data/{index}/{wanted}", expected=wanted, actual=str(value)[:60])


def _decodes(text: str) -> bool:
    """Return True if a text is base64."""
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
