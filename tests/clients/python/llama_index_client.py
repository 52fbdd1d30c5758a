"""LlamaIndex: plain, streamed and a tool, by its class for OpenAI-like servers."""

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from settings import API_KEY, MODEL, POOR_KEY, URL, refused


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


def a_model(key: str) -> OpenAILike:
    return OpenAILike(
        model=MODEL,
        api_base=URL,
        api_key=key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_tokens=300,
        max_retries=0,
    )


ASKED = [ChatMessage(role="user", content="What is the weather in Nairobi?")]
model = a_model(API_KEY)
assert model.chat(ASKED).message.content
assert "".join(part.delta or "" for part in model.stream_chat(ASKED))
called = model.chat_with_tools([FunctionTool.from_defaults(weather)], chat_history=ASKED)
assert model.get_tool_calls_from_response(called)[0].tool_name == "weather"
with refused():
    a_model(POOR_KEY).chat(ASKED)
