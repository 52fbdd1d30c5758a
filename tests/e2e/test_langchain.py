"""LangChain's ChatOpenAI, unmodified, on both protocols of OpenAI that it speaks."""

from __future__ import annotations

from collections.abc import Iterator

import pydantic
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from creditcore import Credits
from tests.e2e.prices import FUNDED, price
from tests.stack import Account, Stack


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


@pytest.fixture
def account(stack: Stack) -> Iterator[Account]:
    """Somebody with credits; in the end exactly the sum of all charges is gone."""
    account = stack.an_account(credits_=str(FUNDED))
    yield account
    wallet = stack.settled_wallet_of(account.person_id)
    charges = [hold.charged.microcredits for hold in stack.calls_of(account)]
    assert charges
    assert wallet.posted == FUNDED - Credits(sum(charges))


@pytest.fixture(params=[False, True], ids=["chat", "responses"])
def model(request: pytest.FixtureRequest, stack: Stack, account: Account) -> ChatOpenAI:
    return ChatOpenAI(
        model="demo-chat",
        base_url=f"{stack.base_url}/v1",
        api_key=account.api_key,
        use_responses_api=request.param,
        max_retries=0,
        stream_usage=True,
    )


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Hot in {city}"


class City(pydantic.BaseModel):
    """A city."""

    name: str
    people: int


def test_it_streams_and_knows_the_usage(stack: Stack, account: Account, model: ChatOpenAI) -> None:
    chunks = list(model.stream("[[sim tokens=7 prompt=11]]"))

    whole = sum(chunks[1:], start=chunks[0])
    assert whole.text == " ".join(f"token {at}" for at in range(7))
    assert whole.usage_metadata["input_tokens"] == 11
    assert whole.usage_metadata["output_tokens"] == 7
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - price(11, 7)


def test_it_calls_tools_and_takes_their_results(model: ChatOpenAI) -> None:
    with_tools = model.bind_tools([get_weather])

    asked = with_tools.invoke("Weather in Kisumu?")
    [call] = asked.tool_calls
    answer = with_tools.invoke(
        [{"role": "user", "content": "Weather in Kisumu?"}, asked, get_weather.invoke(call)]
    )

    assert (call["name"], call["args"]) == ("get_weather", {"city": "example"})
    assert answer.text


def test_it_gets_structured_output(model: ChatOpenAI) -> None:
    city = model.with_structured_output(City, method="json_schema").invoke("A city?")

    assert city == City(name="example", people=1)


def test_it_embeds(stack: Stack, account: Account) -> None:
    embeddings = OpenAIEmbeddings(
        model="demo-embedding",
        base_url=f"{stack.base_url}/v1",
        api_key=account.api_key,
        check_embedding_ctx_length=False,
        max_retries=0,
    )

    vectors = embeddings.embed_documents(["two words", "three more words"])

    assert len(vectors) == 2
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(5 * 4)


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean
