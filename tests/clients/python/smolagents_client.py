"""smolagents: its model for OpenAI's protocol, plain, streamed and with a tool."""

from settings import API_KEY, MODEL, POOR_KEY, URL, refused
from smolagents import OpenAIServerModel, tool


@tool
def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


ASKED = [{"role": "user", "content": [{"type": "text", "text": "What is the weather?"}]}]


def a_model(key: str) -> OpenAIServerModel:
    return OpenAIServerModel(model_id=MODEL, api_base=URL, api_key=key, max_tokens=300)


model = a_model(API_KEY)
assert model.generate(ASKED).content
assert "".join(part.content or "" for part in model.generate_stream(ASKED))
called = model.generate(ASKED, tools_to_call_from=[weather]).tool_calls
assert [call.function.name for call in called] == ["weather"]
with refused():
    a_model(POOR_KEY).generate(ASKED)
