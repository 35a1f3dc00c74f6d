"""Ids that no object has ("impossible" ids), and placeholders for objects that the run creates.

A changing request names only objects of its own run or an impossible id. Impossible ids have the form that the service
uses, so a target refuses them because nothing is there, not because they are malformed.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.spec.operations import Operation

__all__ = ["IMPOSSIBLE", "IMPOSSIBLE_ID", "IMPOSSIBLE_MODEL", "impossible_id", "placeholder"]

#: The digits in every impossible id.
IMPOSSIBLE_ID = "000000000000000000000000"

#: The name of a deployment or model that no resource has.
IMPOSSIBLE_MODEL = "conformance-no-such-deployment"

#: Path parameter → the prefix of such ids, as the published examples show it.
_PREFIXES: Mapping[str, str] = {
    "assistant_id": "asst_",
    "thread_id": "thread_",
    "message_id": "msg_",
    "run_id": "run_",
    "step_id": "step_",
    "file_id": "file-",
    "vector_store_id": "vs_",
    "response_id": "resp_",
    "eval_id": "eval_",
    "output_item_id": "outputitem_",
    "fine_tuning_job_id": "ftjob-",
    "fine_tuning_checkpoint_id": "ftckpt_",
    "permission_id": "cp_",
    "container_id": "cntr_",
    "conversation_id": "conv_",
    "item_id": "msg_",
    "job-id": "task_",
    "generation-id": "gen_",
}

#: Every impossible id by the name of the path parameter it stands for.
IMPOSSIBLE: Mapping[str, str] = {name: prefix + IMPOSSIBLE_ID for name, prefix in _PREFIXES.items()}


def impossible_id(parameter: str, operation: Operation) -> str:
    """The impossible id for a path parameter.

    ``batch_id`` and ``run_id`` are each used for two kinds of objects; the path of the operation tells which is meant.
    """
    if parameter in ("model", "deployment-id", "deployment_id"):
        return IMPOSSIBLE_MODEL
    if parameter == "batch_id":
        return ("vsfb_" if "vector_stores" in operation.path else "batch_") + IMPOSSIBLE_ID
    if parameter == "run_id" and operation.path.startswith("/evals"):
        return "evalrun_" + IMPOSSIBLE_ID
    return IMPOSSIBLE.get(parameter, IMPOSSIBLE_ID)


def placeholder(parameter: str, operation: Operation) -> str:
    """What stands for a path parameter until the run fills it in: ``{assistant_id}``, ``{deployment}``.

    A changing operation on a model never gets the account's deployment: only a model that the run made may be changed.
    """
    deployment = parameter in ("deployment-id", "deployment_id")
    named = parameter == "model" and not operation.mutates
    return "{deployment}" if deployment or named else "{" + parameter + "}"
