"""LlamaIndex, by its classes for OpenAI-like servers."""

from collections.abc import Iterator

from given import DOCUMENT, EMBEDDING, MODEL, PICTURE, URL, Call, Place, is_enough, joined, weather
from llama_index.core.llms import ChatMessage, DocumentBlock, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike


def a_model(call: Call) -> OpenAILike:
    return OpenAILike(
        model=MODEL,
        api_base=URL,
        api_key=call.key,
        is_chat_model=True,
        is_function_calling_model=True,
    )


def asked(call: Call, *blocks: object) -> list[ChatMessage]:
    return [ChatMessage(role="user", blocks=[TextBlock(text=call.prompt), *blocks])]


def plain(call: Call) -> str:
    return a_model(call).chat(asked(call)).message.content


def streamed(call: Call) -> str:
    return joined(pieces(call))


def pieces(call: Call) -> Iterator[str | None]:
    return (part.delta for part in a_model(call).stream_chat(asked(call)))


def tools(call: Call) -> str:
    model = a_model(call)
    done = model.chat_with_tools([FunctionTool.from_defaults(weather)], chat_history=asked(call))
    return model.get_tool_calls_from_response(done)[0].tool_name


def structured(call: Call) -> dict:
    return a_model(call).as_structured_llm(Place).chat(asked(call)).raw.model_dump()


def images(call: Call) -> str:
    block = ImageBlock(image=PICTURE, image_mimetype="image/png")
    return a_model(call).chat(asked(call, block)).message.content


def documents(call: Call) -> str:
    block = DocumentBlock(data=DOCUMENT, document_mimetype="application/pdf", title="a.pdf")
    return a_model(call).chat(asked(call, block)).message.content


def embeddings(call: Call) -> int:
    model = OpenAILikeEmbedding(model_name=EMBEDDING, api_base=URL, api_key=call.key)
    return len(model.get_text_embedding_batch([call.prompt, call.prompt]))


def cancelled(call: Call) -> str:
    return joined(pieces(call), is_enough)
