"""The same request twice: answered as one JSON object and as a stream. The two answers are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.case import Case, Cost
from conformance.scenarios.scenario import Scenario, Script, Settings
from conformance.scenarios.steps import call, path_names, request_body
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

_TASK = "Count from 1 to 500 in words, separated by commas."
_TOOL = {
    "type": "function",
    "function": {
        "name": "record_colour",
        "description": "Write a colour down.",
        "parameters": {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]},
    },
}

#: Operation → kind of request → body. ``max_tokens`` of the "length" kind is far below what the task needs, so that the
#: answer is cut off both ways.
REQUESTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "chat.completions.create": {
        "tool": {
            "messages": [{"role": "user", "content": "My favourite colour is green."}],
            "tools": [_TOOL],
            "tool_choice": {"type": "function", "function": {"name": "record_colour"}},
        },
        "length": {"messages": [{"role": "user", "content": _TASK}], "max_tokens": 16},
        "text": {"messages": [{"role": "user", "content": "Name three colours."}], "n": 2, "max_tokens": 64},
    },
    "completions.create": {
        "length": {"prompt": _TASK, "max_tokens": 16},
        "text": {"prompt": "Three colours are", "n": 2, "max_tokens": 64},
    },
}


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One scenario for each operation that answers both ways."""
    for operation_id, kinds in REQUESTS.items():
        operation = operations_of(spec).get(operation_id)
        if operation is not None and operation.stream is not None:
            yield Scenario(
                id=f"streams.equality.{operation_id.removesuffix('.create')}",
                operations=(operation_id,),
                script=_script(operation_id),
                doc="The same request, answered as one JSON object and as a stream.",
                requests=2 * len(kinds),
                tokens=2 * len(kinds) * 200,
                resource=operation.resource,
                features=(f"{operation.resource}.stream",),
                module=__name__,
            )


def _script(operation_id: str) -> Any:
    """The script for one operation: all kinds of requests, each plain and streamed, in one step."""

    def script(spec: Spec, settings: Settings) -> Script:
        # A target that calls itself deterministic is held to it: the role tells the check.
        full = ".full" if settings.deterministic else ""
        made = (
            _case(spec, operation_id, kind, stream=stream, full=full)
            for kind in REQUESTS[operation_id]
            for stream in (False, True)
        )
        # Each kind stands alone: a deployment without tools is asked for the others.
        ready = tuple(filter(settings.can, made))
        if ready:
            yield ready

    return script


def _case(spec: Spec, operation_id: str, kind: str, *, stream: bool, full: str) -> Case:
    """One request of a kind, plain or streamed."""
    wanted = REQUESTS[operation_id][kind]
    way = "stream" if stream else "plain"
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    body = request_body(spec, operation_id, {"model": "{deployment}", **wanted, **options})
    ids = ["{deployment}" for _ in path_names(operations_of(spec)[operation_id])]
    if ids:
        body.pop("model", None)
    made = call(
        spec,
        operation_id,
        *ids,
        role=f"equality.{kind}.{way}{full}",
        body=body,
        capability=operation_id.split(".", maxsplit=1)[0],
        cost=Cost(tokens=200),
    )
    return made.at(f"streams.equality.{operation_id.removesuffix('.create')}", f"{kind}.{way}")
