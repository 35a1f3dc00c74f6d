"""Graders of reinforcement fine-tuning, run and validated on their own."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.grading import FormulaError, grade
from conformance.evidence.exchange import Response

#: Every documented error of a grader, all absent.
_ERRORS: dict[str, Any] = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
}


@handles("fine_tuning.alpha.graders.run")
def run(call: Call) -> Response:
    """The reward of one sample. A formula that can't be computed gives 0 and is named among the errors."""
    grader = call.body["grader"]
    known = {"item": call.get("item", {}), "sample": {"output_text": call.body["model_sample"]}}
    wrong: dict[str, bool] = {}
    try:
        reward = grade(grader, known)
    except FormulaError as error:
        reward, wrong = 0.0, {error.flag: True}
    parts = grader["graders"] if grader["type"] == "multi" else {}
    scores = {name: grade(one, known) for name, one in parts.items()}
    return call.json(
        {
            "reward": reward,
            "metadata": {
                "name": grader["name"],
                "type": grader["type"],
                "errors": {**_ERRORS, **wrong},
                "execution_time": 0.01,
                "scores": scores or {grader["name"]: reward},
                "token_usage": None,
                "sampled_model_name": grader.get("model"),
            },
            "sub_rewards": scores,
            "model_grader_token_usage_per_model": {},
        }
    )


@handles("fine_tuning.alpha.graders.validate")
def validate(call: Call) -> Response:
    """The grader as it was understood."""
    return call.json({"grader": call.body.get("grader", {})})
