// Anthropic's SDK for Node against the gateway: plain, streamed, a tool, and out of credits.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const baseURL = process.env.BASE_URL;
const client = new Anthropic({ baseURL, apiKey: process.env.API_KEY });
const asked = {
  model: "claude-sonnet-4-5",
  max_tokens: 300,
  messages: [{ role: "user", content: "Say hello" }],
};

const plain = await client.messages.create(asked);
assert.ok(plain.content[0].text);
assert.ok(plain.usage.output_tokens > 0);

const streamed = await client.messages.stream(asked).finalMessage();
assert.equal(streamed.content[0].text, plain.content[0].text);

const tools = [
  {
    name: "get_weather",
    description: "The weather of a city",
    input_schema: { type: "object", properties: { city: { type: "string" } } },
  },
];
const called = await client.messages.create({ ...asked, tools });
assert.equal(called.content.find((part) => part.type === "tool_use").name, "get_weather");

const poor = new Anthropic({ baseURL, apiKey: process.env.POOR_KEY });
await assert.rejects(poor.messages.create(asked), (error) => error.status === 402);
