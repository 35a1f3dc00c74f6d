"""What a run will do, decided when it starts: which tools it calls, what it says, what limits it meets.

Function tools are called whenever the choice of tools allows it, all of them at once, so that submitting outputs can be
watched; with ``parallel_tool_calls`` false only the first. Built-in tools run by themselves.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from conformance.emulator.call import Call
from conformance.emulator.inference.text import count, cut
from conformance.emulator.resources.messages import text_of
from conformance.emulator.resources.objects import Value, members
from conformance.emulator.resources.reply import arguments, say

__all__ = ["Plan", "planned"]


@define(eq=False)
class Plan:
    """The plan of one run. ``calls`` wait for outputs, ``builtin`` run at once, ``message`` ends the run.

    ``limit`` names the limit that cuts the message, or is empty. ``refused`` is the error of a run that can't start.
    """

    calls: list[Value] = field(factory=list)
    builtin: list[Value] = field(factory=list)
    message: str = ""
    prompt_tokens: int = 0
    limit: str = ""
    refused: str = ""

    @property
    def cut(self) -> bool:
        """True when the message doesn't fit."""
        return bool(self.limit)


def _choice(choice: Any, tools: list[Value], parallel: bool) -> list[Value] | None:
    """The tools that are called; None when a function is named that is not among them."""
    named = members(choice)
    if choice == "none":
        return []
    if named.get("type") == "function":
        wanted = members(named.get("function")).get("name")
        return [t for t in tools if t["type"] == "function" and t["function"]["name"] == wanted] or None
    if named:
        return [tool for tool in tools if tool["type"] == named.get("type")][:1]
    functions = [tool for tool in tools if tool["type"] == "function"]
    return [tool for tool in tools if tool["type"] != "function"] + (functions if parallel else functions[:1])


def planned(call: Call, run: Value, *, parallel: bool = True) -> Plan:
    """The plan for a run object whose thread holds its messages."""
    plan = Plan()
    deployed = call.settings.by_name.get(run["model"])
    if deployed is None or "assistants" not in deployed.abilities:
        plan.refused = f"The deployment '{run['model']}' can't run assistants."
    chosen = _choice(run["tool_choice"], run["tools"], parallel)
    if chosen is None:
        plan.refused = "The tool choice names a function that is not among the tools."
    for tool in chosen or ():
        made = {"id": call.store.new_id("call_"), "type": tool["type"]}
        if tool["type"] == "function":
            function = {
                "name": tool["function"]["name"],
                "arguments": arguments(tool["function"].get("parameters")),
                "output": None,
            }
            plan.calls.append({**made, "function": function})
        elif tool["type"] == "code_interpreter":
            ran = {"input": "print(6 * 7)", "outputs": [{"type": "logs", "logs": "42"}]}
            plan.builtin.append({**made, "code_interpreter": ran})
        else:
            plan.builtin.append({**made, tool["type"]: {}})
    _speak(call, run, plan)
    return plan


def _speak(call: Call, run: Value, plan: Plan) -> None:
    """The message within the run's limits."""
    strategy = members(run["truncation_strategy"])
    last = strategy.get("last_messages") if strategy.get("type") == "last_messages" else None
    # A bounded look back: what a model reads is bounded, and a thread may be long.
    newest = call.store.collection("messages", run["thread_id"]).page(limit=min(last or 200, 200)).items
    asked = next((text_of(message) for message in newest if message["role"] == "user"), "")
    plan.prompt_tokens = count(run["instructions"] or "") + sum(count(text_of(message)) for message in newest) + 1
    most_prompt, most = run["max_prompt_tokens"], run["max_completion_tokens"]
    if most_prompt is not None and plan.prompt_tokens > most_prompt:
        # Older messages are dropped to fit; the newest one can't be.
        if count(asked) > most_prompt:
            plan.limit, plan.prompt_tokens = "max_prompt_tokens", most_prompt
            return
        plan.prompt_tokens = most_prompt
    written = cut(say(asked, run["response_format"]), limit=most)
    plan.message, plan.limit = written.text, "max_completion_tokens" if written.finish == "length" else ""
