// The Vercel AI SDK's packages for OpenAI (responses) and Anthropic against the gateway: two turns.
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

const baseURL = `${process.env.BASE_URL}/v1`;
const apiKey = process.env.API_KEY;
const models = [
  createOpenAI({ baseURL, apiKey })("gpt-4o"),
  createAnthropic({ baseURL, apiKey })("claude-sonnet-4-5"),
];
// Nothing is stored here: a second turn must bring everything itself.
const settings = { maxOutputTokens: 300, providerOptions: { openai: { store: false } } };

for (const model of models) {
  const first = await generateText({ model, prompt: "Say hello", ...settings });
  assert.ok(first.text);
  const messages = [
    { role: "user", content: "Say hello" },
    ...first.response.messages,
    { role: "user", content: "Again" },
  ];
  assert.ok(await streamText({ model, messages, ...settings }).text);
}

const poor = createOpenAI({ baseURL, apiKey: process.env.POOR_KEY })("gpt-4o");
await assert.rejects(
  generateText({ model: poor, prompt: "Say hello", ...settings }),
  (error) => error.statusCode === 402,
);
