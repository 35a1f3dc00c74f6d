"""Fine-tuning jobs by each method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template
from .evals import graders


@template("fine_tuning.jobs.create")
def jobs(context: TemplateContext) -> Iterator[Draft]:
    """A job over an uploaded file."""
    gate = "whether a model can be tuned, and how, depends on the account"

    # A job costs money for as long as it runs. By its metadata it can be told from those of others and be stopped.
    mark = {"suite": "conformance", "run": "{run}"}
    marked = {"metadata": mark} if context.takes("/metadata", mark) else {}

    def job(role: str, **fields: Any) -> Draft:
        return context.draft(f"fine-tuning.{role}", {"training_file": "{file_id.fine-tune}", **marked, **fields})

    def gated(role: str, **fields: Any) -> Draft:
        body = {"training_file": "{file_id.fine-tune}", **marked, **fields}
        return context.draft(f"fine-tuning.{role}", body, either=gate)

    yield job("plain")
    if marked:
        yield context.draft("fine-tuning.bare", {"training_file": "{file_id.fine-tune}"})
    yield job("suffix", suffix="conformance", seed=42)
    yield job("validation", validation_file="{file_id.validate}")
    yield job("epochs", hyperparameters={"n_epochs": 1})
    yield job("supervised", method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}})
    yield gated("dpo", method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}})
    reinforced = {"type": "reinforcement", "reinforcement": {"grader": graders()["string"]}}
    yield gated("reinforcement", method=reinforced)
    wandb = {"type": "wandb", "wandb": {"project": "conformance"}}
    yield gated("integration", integrations=[wandb])
