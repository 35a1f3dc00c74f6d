"""What a run will do, decided when it starts: the tools that it calls, its message, the limits that cut it off.

Function tools are called whenever ``tool_choice`` allows it, all at once, so that submitting outputs can be tested;
with ``parallel_tool_calls: false`` only the first. Built-in tools run by themselves.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from conformance.emulator.call import Call
from conformance.emulator.inference.text import count, cut
from conformance.emulator.resources.messages import text_of
from conformance.emulator.resources.objects import Value, members
from conformance.emulator.resources.reply import answer_text, arguments

__all__ = ["RunPlan", "plan_run"]


@define(eq=False)
class RunPlan:
    """The plan of one run. ``calls`` wait for outputs, ``builtin`` run at once, ``message`` ends the run.

    ``limit`` is the limit that cuts off the message, or "". ``refused`` is the error of a run that can't start, or "".
    """

    calls: list[Value] = field(factory=list)
    builtin: list[Value] = field(factory=list)
    message: str = ""
    prompt_tokens: int = 0
    limit: str = ""
    refused: str = ""

    @property
    def cut(self) -> bool:
        """True if a limit cuts off the message."""
        return bool(self.limit)


def _choice(choice: Any, tools: list[Value], parallel: bool) -> list[Value] | None:
    """The tools that are called, or None if the choice names a function that is not among them."""
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


def plan_run(call: Call, run: Value, *, parallel: bool = True) -> RunPlan:
    """The plan for a run object whose thread has its messages."""
    plan = RunPlan()
    deployed = call.settings.by_name.get(run["model"])
    # The run is created all the same, and fails at its first step.
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
            # There is no interpreter; one fixed program with its output stands for all.
            ran = {"input": "print(6 * 7)", "outputs": [{"type": "logs", "logs": "42"}]}
            plan.builtin.append({**made, "code_interpreter": ran})
        else:
            plan.builtin.append({**made, tool["type"]: {}})
    _speak(call, run, plan)
    return plan


def _speak(call: Call, run: Value, plan: RunPlan) -> None:
    """Decide the message within the limits of the run."""
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
    written = cut(answer_text(asked, run["response_format"]), limit=most)
    plan.message, plan.limit = written.text, "max_completion_tokens" if written.finish == "length" else ""
