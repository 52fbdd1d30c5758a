// LangChain for JavaScript against the gateway: plain, streamed, a tool, and out of credits.
import assert from "node:assert/strict";
import { ChatOpenAI } from "@langchain/openai";

const configuration = { baseURL: `${process.env.BASE_URL}/v1` };
const aModel = (apiKey) =>
  new ChatOpenAI({ model: "gpt-4o", maxTokens: 300, apiKey, configuration });
const model = aModel(process.env.API_KEY);

assert.ok((await model.invoke("Say hello")).text);

let text = "";
for await (const part of await model.stream("Say hello")) text += part.text;
assert.ok(text);

const tool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const called = await model.bindTools([tool]).invoke("Weather in Kisumu?");
assert.equal(called.tool_calls[0].name, "get_weather");

await assert.rejects(
  aModel(process.env.POOR_KEY).invoke("Say hello"),
  (error) => error.status === 402,
);
