"""Whatever JSON comes back, a dialect makes an answer of it or a leaf of the error tree, and nothing else."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.errors import ProviderError
from boxscore.providers.dialects import Dialect
from boxscore.providers.dialects.cohere import Cohere, CohereV1
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.dialects.openai_responses import OpenAIResponses

NAMES = """choices message content delta text type index finish_reason tool_calls function name arguments id custom
    input reasoning_content refusal function_call usage x_groq error object code output status summary item response
    output_index incomplete_details reason service_tier thinking tool_plan citations event_type meta model"""
KINDS = """text thinking message reasoning function_call custom_tool_call response.output_text.delta
    response.completed response.output_item.done content-delta content-start tool-call-start tool-call-delta
    tool-plan-delta message-start message-end citation-start stream-end text-generation failed error"""
KIND = st.sampled_from(KINDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats(allow_nan=False) | KIND | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=5),
    max_leaves=8,
)
LIKELY = st.fixed_dictionaries(
    {
        "choices": st.lists(st.fixed_dictionaries({"message": JSON, "delta": JSON, "finish_reason": JSON}), max_size=2),
        "output": st.lists(JSON, max_size=2),
        "message": JSON,
        "delta": st.fixed_dictionaries({"message": JSON}),
        "type": KIND,
        "event_type": KIND,
        "response": JSON,
        "index": JSON,
        "usage": JSON,
    }
)
"""Close to the real thing, so that what is inside is reached."""


@pytest.mark.parametrize("dialect", [OpenAIChat(), OpenAIResponses(), Cohere(), CohereV1()], ids=lambda d: d.name)
@given(body=JSON | LIKELY, events=st.lists(st.tuples(st.none() | KIND, JSON | LIKELY), max_size=4))
def test_any_body_and_any_events_are_an_answer_or_an_error(dialect: Dialect, body: Any, events: list[Any]) -> None:
    with suppress(ProviderError):
        dialect.read(body, provider="acme")
    assembly = dialect.assembly(provider="acme")
    with suppress(ProviderError):
        for name, data in events:
            assembly.feed(Event(name, data))
        assembly.finish()
