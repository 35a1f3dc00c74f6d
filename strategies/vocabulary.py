"""Values for fields by their name: what a client would plausibly write there, harmless and free of secrets.

The first suggestion that the field's schema accepts is taken. Text in braces is a placeholder that the run fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.requests.session_offer import OFFER

from .sample_files import PNG_URL

__all__ = ["COMPANIONS", "EVAL_ITEM", "LONG_TEXT", "SCRIPTS", "suggestions"]

#: A harmless text with several scripts, an emoji with a joiner, and a combining mark (Unicode NFD).
SCRIPTS = "Grüße, привет, 你好, こんにちは, שלום, مرحبا, नमस्ते 👩‍🚀 e\u0301"

#: A sentence that is repeated to make a text of any length.
LONG_TEXT = "The quick brown fox jumps over the lazy dog. "

_FUNCTION = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of a city"}},
    "required": ["city"],
}

_JSON_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "celsius": {"type": "number"}},
    "required": ["city", "celsius"],
    "additionalProperties": False,
}

#: The schema of the rows of an eval. It has the variables that the templates of our graders name.
EVAL_ITEM = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
}

#: ``parent.name`` or ``name`` of a field → suggestions, the best first. ``parent.name`` is looked up first.
_WORDS: Mapping[str, tuple[Any, ...]] = {
    "model": ("{deployment}",),
    "messages.content": ("Say hello in one word.",),
    "content": ("Say hello in one word.",),
    "text": ("Say hello in one word.",),
    "prompt": ("Count from one to three:", "A lighthouse at dusk, watercolour"),
    "input": ("The food was delicious and the waiter was friendly.",),
    "instructions": ("Answer in one short sentence.",),
    "additional_instructions": ("Answer in English.",),
    "description": ("Made by a conformance run.",),
    "function.description": ("Gets the weather of a city.",),
    "user": ("conformance-user",),
    "name": ("conformance", "get_weather"),
    "function.name": ("get_weather",),
    "functions.name": ("get_weather",),
    "function_call.name": ("get_weather",),
    "tool_choice.name": ("get_weather",),
    "tools.name": ("get_weather",),
    "json_schema.name": ("weather",),
    "format.name": ("weather",),
    "arguments": ('{"city":"Oslo"}',),
    "output": ('{"celsius":7}',),
    "parameters": (_FUNCTION,),
    "json_schema.schema": (_JSON_SCHEMA,),
    "format.schema": (_JSON_SCHEMA,),
    "schema": (_JSON_SCHEMA,),
    "item_schema": (EVAL_ITEM,),
    "stop": ("###",),
    "suffix": (" And that was all.",),
    "logit_bias": ({"1734": -50},),
    "metadata": ({"suite": "conformance", "run": "{run}"},),
    "attributes": ({"suite": "conformance"},),
    "image_url.url": (PNG_URL,),
    "image_url": (PNG_URL,),
    "url": (PNG_URL, "https://example.com/picture.png"),
    "endpoint": ("https://example.com/",),
    "server_url": ("https://example.com/mcp",),
    "language": ("en",),
    "max_tokens": (16,),
    "max_completion_tokens": (16, 256),
    "max_output_tokens": (16,),
    "max_prompt_tokens": (256,),
    "max_num_results": (5,),
    "n": (1,),
    "seed": (42,),
    "temperature": (0.5,),
    "top_p": (0.5,),
    "limit": (3,),
    "dimensions": (256,),
    "assistant_id": ("{assistant_id}",),
    "thread_id": ("{thread_id}",),
    "run_id": ("{run_id}",),
    "file_id": ("{file_id}",),
    "file_ids": ("{file_id}",),
    "vector_store_ids": ("{vector_store_id}",),
    "vector_store_id": ("{vector_store_id}",),
    "previous_response_id": ("{response_id}",),
    "conversation": ("{conversation_id}",),
    "conversation.id": ("{conversation_id}",),
    "sdp": (OFFER,),
    # Some documents take any text for the role of a message that others have a list for.
    "input.role": ("user",),
    "template.role": ("user",),
    "input_file_id": ("{file_id.batch}",),
    "training_file": ("{file_id.fine-tune}",),
    "validation_file": ("{file_id.validate}",),
    "tool_call_id": ("call_1",),
    "call_id": ("call_1",),
    "after": ("",),
    "before": ("",),
    "id": ("call_1",),
    "file": ("file:text",),
    "image": ("file:png",),
    "mask": ("file:png",),
    "completion_window": ("24h",),
    "size": ("1024x1024",),
    "filename": ("notes.txt",),
    "file_data": ("data:text/plain;base64,aGVsbG8=",),
    "type": (),
}


#: Value of ``type``, or name of an object → optional fields without which the object would mean nothing.
COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "input_image": ("image_url",),
    "input_file": ("file_id",),
    "file": ("file_id",),
    "web_search": ("search_context_size",),
}


def suggestions(parent: str, name: str) -> tuple[Any, ...]:
    """What a client would write into ``parent.name``, the best first; empty if nothing is known."""
    return (*_WORDS.get(f"{parent}.{name}", ()), *_WORDS.get(name, ()))
