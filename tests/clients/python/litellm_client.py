"""The litellm SDK as a client: text, tools, embeddings, images, speech, refusals."""

import litellm
from settings import API_KEY, MODEL, POOR_KEY, URL, refused

litellm.num_retries = 0
ASKED = [{"role": "user", "content": "Say hello"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def ask(key: str = API_KEY, **fields: object) -> object:
    return litellm.completion(
        f"openai/{MODEL}", ASKED, api_base=URL, api_key=key, max_tokens=300, **fields
    )


assert ask().choices[0].message.content
assert "".join(part.choices[0].delta.content or "" for part in ask(stream=True))
assert ask(tools=[TOOL]).choices[0].message.tool_calls[0].function.name == "weather"
vectors = litellm.embedding(
    "openai/demo-embedding", input=["one", "two"], api_base=URL, api_key=API_KEY
)
assert len(vectors.data) == 2
pictures = litellm.image_generation("a cat", model="openai/dall-e-3", api_base=URL, api_key=API_KEY)
assert pictures.data[0].url
sound = litellm.speech("openai/tts-1", input="Habari", voice="alloy", api_base=URL, api_key=API_KEY)
assert sound.content
with refused(401):
    ask("sk-cc-" + "x" * 38)
with refused():
    ask(POOR_KEY)
