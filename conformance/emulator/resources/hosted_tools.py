"""Tools that the service runs itself, as items of a response and as the events by which these items grow.

Nothing is searched, run or drawn: the results are made up from the request, the same each time. What lies below the
domain ``invalid``, which never resolves (RFC 2606 section 2), can't be reached.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from conformance.emulator.call import Call
from conformance.emulator.events import dumps
from conformance.emulator.inference.images import png
from conformance.emulator.resources.objects import Value, members
from conformance.emulator.resources.reply import parts

__all__ = ["begun", "citations", "growth", "hosted_items", "unreachable"]

_SEARCHES = ("web_search_preview", "web_search_preview_2025_03_11")
_PAGE = {"type": "url_citation", "title": "A page", "url": "https://example.com/page"}


def hosted_items(call: Call, asked: str) -> list[Value]:
    """One item for each hosted tool of the request, two for an MCP server: its tools, and a call or a question.

    ``max_tool_calls`` limits the calls of all tools together.
    """
    if call.get("tool_choice", "auto") == "none":
        return []
    found: list[Value] = []
    left = call.get("max_tool_calls")
    for tool in call.get("tools", []):
        for item in _items(call, tool, asked):
            calls = item["type"].endswith("_call")
            if left is None or not calls or left > 0:
                found.append(item)
            left = left - 1 if calls and left is not None else left
    return found


def _items(call: Call, tool: Value, asked: str) -> list[Value]:
    """The items of one tool; none if it isn't hosted."""
    kind = tool["type"]
    if kind in _SEARCHES:
        action = {"type": "search", "query": asked}
        return [_item(call, "ws_", "web_search_call", status="completed", action=action)]
    if kind == "file_search":
        return [_item(call, "fs_", "file_search_call", status="completed", queries=[asked])]
    if kind == "code_interpreter":
        code = f"text = {asked!r}\nprint(len(text))"
        container = call.store.new_id("cntr_")
        made = _item(call, "ci_", "code_interpreter_call", status="completed", code=code, container_id=container)
        return [made | {"outputs": [{"type": "logs", "logs": f"{len(asked)}\n"}]}]
    if kind == "image_generation":
        return [_item(call, "ig_", "image_generation_call", status="completed", result=_picture(asked))]
    return _of_server(call, tool) if kind == "mcp" else []


def _item(call: Call, prefix: str, kind: str, **fields: Any) -> Value:
    return {"id": call.store.new_id(prefix), "type": kind, **fields}


def _picture(seed: str) -> str:
    return base64.b64encode(png(seed, 16, 16)).decode()


def unreachable(url: Any) -> bool:
    """Return True for the URL of a server that can't be reached; False for what is no URL."""
    try:
        return (urlsplit(str(url)).hostname or "").endswith(".invalid")
    except ValueError:
        return False


def _of_server(call: Call, tool: Value) -> list[Value]:
    """The list of a server's tools, then a call of the first one, or the question whether it may be called."""
    label = tool["server_label"]
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    listed = {"name": "look_up", "description": "Looks something up.", "input_schema": schema}
    if unreachable(tool.get("server_url")):
        return [
            _item(call, "mcpl_", "mcp_list_tools", server_label=label, tools=[], error="The server is unreachable.")
        ]
    items = [_item(call, "mcpl_", "mcp_list_tools", server_label=label, tools=[listed])]
    arguments = {"server_label": label, "name": "look_up", "arguments": dumps({"query": "conformance"})}
    if tool.get("require_approval") == "never":
        allowed = tool.get("allowed_tools")
        if isinstance(allowed, list) and allowed and "look_up" not in allowed:
            missing = {**arguments, "name": allowed[0], "error": "The server has no such tool."}
            return [*items, _item(call, "mcp_", "mcp_call", **missing)]
        return [*items, _item(call, "mcp_", "mcp_call", **arguments, output="Found.")]
    return [*items, _item(call, "mcpr_", "mcp_approval_request", **arguments)]


def citations(items: list[Value], text: str) -> list[Value]:
    """The citations in the text that follows these items: one for each search."""
    found: list[Value] = []
    for item in items:
        if item["type"] == "web_search_call":
            found.append({**_PAGE, "start_index": 0, "end_index": len(text)})
        elif item["type"] == "file_search_call":
            found.append(
                {"type": "file_citation", "index": len(text), "file_id": "file-notes", "filename": "notes.txt"}
            )
    return found


#: What an item lacks when it is announced.
_EMPTY: Mapping[str, Value] = {
    "code_interpreter_call": {"code": "", "outputs": None, "status": "in_progress"},
    "image_generation_call": {"result": "", "status": "in_progress"},
    "web_search_call": {"status": "in_progress"},
    "file_search_call": {"status": "in_progress"},
    "mcp_call": {"arguments": "", "output": None, "error": None},
}


def begun(item: Value) -> Value:
    """An item as it is announced in a stream."""
    made = {**item, **_EMPTY.get(item["type"], {})}
    return {key: value for key, value in made.items() if value is not None or key == "outputs"}


def growth(item: Value, place: Value, tools: list[Value]) -> Iterator[Value]:
    """Yield the events between the announcement and the end of an item. ``place`` has its index and its id."""
    kind = item["type"]
    name = f"response.{kind}"
    if kind in ("web_search_call", "file_search_call"):
        yield from ({"type": f"{name}.{state}", **place} for state in ("in_progress", "searching", "completed"))
    elif kind == "code_interpreter_call":
        yield {"type": f"{name}.in_progress", **place}
        for text in parts(item["code"]):
            yield {"type": f"{name}_code.delta", **place, "delta": text}
        yield {"type": f"{name}_code.done", **place, "code": item["code"]}
        yield {"type": f"{name}.interpreting", **place}
        yield {"type": f"{name}.completed", **place}
    elif kind == "image_generation_call":
        yield {"type": f"{name}.in_progress", **place}
        yield {"type": f"{name}.generating", **place}
        wanted = next((tool for tool in tools if tool["type"] == "image_generation"), {})
        for index in range(int(members(wanted).get("partial_images") or 0)):
            partial = {"partial_image_index": index, "partial_image_b64": _picture(f"{item['id']}/{index}")}
            yield {"type": f"{name}.partial_image", **place, **partial}
        yield {"type": f"{name}.completed", **place}
    elif kind == "mcp_list_tools":
        yield {"type": f"{name}.in_progress", **place}
        yield {"type": f"{name}.{'failed' if item.get('error') else 'completed'}", **place}
    elif kind == "mcp_call":
        yield {"type": f"{name}.in_progress", **place}
        for text in parts(item["arguments"]):
            yield {"type": f"{name}.arguments_delta", **place, "delta": text}
        yield {"type": f"{name}.arguments_done", **place, "arguments": item["arguments"]}
        yield {"type": f"{name}.{'failed' if item.get('error') else 'completed'}", **place}
