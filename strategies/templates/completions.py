"""Templates for text completions: the forms of a prompt and the options of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS

PROMPT = "Count from one to three:"


@template("completions.create")
def completions(context: TemplateContext) -> Iterator[Draft]:
    """Text completions, streamed or not."""

    def ask(role: str, prompt: Any = PROMPT, either: str = "", **fields: Any) -> Draft:
        return context.draft(role, {"prompt": prompt, "max_tokens": 16, **fields}, either=either)

    tokens = "token ids are in the service's prose, not in every model"
    yield ask("completions")
    yield context.draft("completions.minimal", {"prompt": PROMPT})
    yield ask("completions.list", [PROMPT, "Name a colour:"])
    yield ask("completions.tokens", [2437, 734, 530], either=tokens)
    yield ask("completions.token-lists", [[2437, 734], [530]], either=tokens)
    yield ask("completions.text.scripts", SCRIPTS)
    yield ask("completions.text.control", "one\ttwo\r\nthree\u0007 end")
    yield ask("completions.n", n=2)
    yield ask("completions.stop", "Repeat exactly: red green blue\n", stop="green")
    yield ask("completions.stop.list", "Repeat exactly: red green blue\n", stop=["green", "blue"])
    yield ask("completions.echo", echo=True)
    yield ask("completions.suffix", suffix=" And that was all.", either="only some models insert text")
    yield ask("completions.logprobs", logprobs=2)
    yield ask("completions.length", "Count from one to five hundred in words, one per line:", max_tokens=16)
    # The settings with which a model is most likely to repeat itself.
    yield ask("completions.seed", seed=42, temperature=0)
    yield ask("completions.user", user="conformance-user")
    yield ask("completions.best-of", n=1, best_of=2)
    yield ask("completions.stream", stream=True)
    yield ask("completions.stream.list", [PROMPT, "Name a colour:"], stream=True)
    yield ask("completions.stream.n", stream=True, n=2)
    yield ask("completions.stream.stop", "Repeat exactly: red green blue\n", stream=True, stop="green")
    yield ask("completions.stream.logprobs", stream=True, logprobs=2)
    yield ask("completions.stream.usage", stream=True, stream_options={"include_usage": True})
    yield ask("completions.not-streamed", stream=False)
