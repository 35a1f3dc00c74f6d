"""JSON values that look like request bodies without being any: real names of fields with values of any type."""

from __future__ import annotations

from hypothesis import strategies as st

#: Every name and word that a cross-field rule reads.
NAMES = (
    *("messages", "role", "tool_call_id", "tool_calls", "id", "content", "text", "response_format"),
    *("tools", "tool_choice", "function", "functions", "function_call", "name", "type", "n", "best_of"),
    *("chunking_strategy", "static", "chunk_overlap_tokens", "max_chunk_size_tokens"),
    *("data_source", "source", "created_after", "created_before"),
    *("inpaint_items", "crop_bounds", "left_fraction", "right_fraction", "top_fraction", "bottom_fraction"),
    *("files", "file_name", "input", "call_id", "previous_response_id"),
    *("testing_criteria", "labels", "passing_labels", "training_file", "validation_file"),
)
WORDS = (
    "tool",
    "function",
    "function_call",
    "function_call_output",
    "label_model",
    "stored_completions",
    "file:png",
    "",
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=3)
)

#: Any JSON value.
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=15,
)

#: A JSON object whose fields have the names of real ones.
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
