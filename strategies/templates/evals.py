"""Templates for evals, eval runs and graders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template
from ..vocabulary import EVAL_ITEM

CUSTOM = {"type": "custom", "item_schema": EVAL_ITEM, "include_sample_schema": True}
JUDGE = [{"role": "user", "content": "Is {{ sample.output_text }} right for {{ item.question }}?"}]
ROWS = [{"item": {"question": "What is 1 + 1?", "answer": "2"}}]


def graders() -> dict[str, dict[str, Any]]:
    """One grader of each kind."""
    pair = {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
    check = {"type": "string_check", "name": "exact", "operation": "eq", **pair}
    return {
        "string": check,
        "text": {"type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match", **pair},
        "python": {"type": "python", "name": "code", "source": "def grade(sample, item):\n    return 1.0\n"},
        "score": {"type": "score_model", "name": "score", "model": "{deployment}", "input": JUDGE, "range": [0, 1]},
        "label": {
            "type": "label_model",
            "name": "label",
            "model": "{deployment}",
            "input": JUDGE,
            "labels": ["right", "wrong"],
            "passing_labels": ["right"],
        },
        "multi": {"type": "multi", "name": "both", "graders": {"exact": check}, "calculate_output": "exact"},
    }


@template("evals.create")
def evals(context: TemplateContext) -> Iterator[Draft]:
    """An eval with each source of data and each grader."""
    known = graders()
    threshold = {"pass_threshold": 0.5}

    def made(role: str, source: Any, *criteria: Any) -> Draft:
        body = {"name": "Conformance {run}", "data_source_config": source, "testing_criteria": list(criteria)}
        return context.draft(f"evals.create.{role}", body)

    yield made("custom", CUSTOM, known["string"])
    yield made("logs", {"type": "logs", "metadata": {"suite": "conformance"}}, known["string"])
    stored = {"type": "stored_completions", "metadata": {"suite": "conformance"}}
    yield made("stored", stored, known["string"])
    yield made("text", CUSTOM, known["text"] | threshold)
    yield made("python", CUSTOM, known["python"] | threshold)
    yield made("score", CUSTOM, known["score"] | threshold)
    yield made("label", CUSTOM, known["label"])


@template("evals.modify")
def renamed(context: TemplateContext) -> Iterator[Draft]:
    """Modify an eval: another name, other metadata."""
    yield context.draft("evals.modify", {"name": "Conformance changed"})
    yield context.draft("evals.modify.metadata", {"metadata": {"suite": "conformance"}})


@template("evals.runs.create")
def runs(context: TemplateContext) -> Iterator[Draft]:
    """Eval runs over inline rows, a file, completions or responses."""
    rows = {"type": "file_content", "content": ROWS}
    file = {"type": "file_id", "id": "{file_id.evals}"}
    ask = {"type": "template", "template": [{"role": "user", "content": "{{ item.question }}"}]}

    def run(role: str, **source: Any) -> Draft:
        return context.draft(f"evals.runs.{role}", {"name": "Conformance {run}", "data_source": source})

    yield run("rows", type="jsonl", source=rows)
    yield run("file", type="jsonl", source=file)
    yield run("completions", type="completions", model="{deployment}", source=rows, input_messages=ask)
    past = {"type": "stored_completions", "created_after": 1_700_000_000, "created_before": 1_800_000_000, "limit": 2}
    yield run("stored", type="completions", model="{deployment}", source=past, input_messages=ask)
    sampling = {"max_tokens": 16, "temperature": 0.2, "seed": 42}
    yield run(
        "sampling", type="completions", model="{deployment}", source=rows, input_messages=ask, sampling_params=sampling
    )
    yield run("responses", type="responses", model="{deployment}", source=rows, input_messages=ask)


@template("fine_tuning.alpha.graders.run")
def graded(context: TemplateContext) -> Iterator[Draft]:
    """Run each grader once."""
    for name, grader in graders().items():
        body = {"grader": grader, "model_sample": "2", "item": {"question": "1 + 1", "answer": "2"}}
        yield context.draft(f"graders.run.{name}", body)


@template("fine_tuning.alpha.graders.validate")
def validated(context: TemplateContext) -> Iterator[Draft]:
    """Have each grader validated."""
    for name, grader in graders().items():
        yield context.draft(f"graders.validate.{name}", {"grader": grader})
