// LangChain for JavaScript, by its classes for OpenAI.
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import * as given from "./runner.mjs";

const configuration = { baseURL: given.url };
const aModel = ({ key }) => new ChatOpenAI({ model: given.model, apiKey: key, configuration });
const ask = async (call, ...parts) => {
  const contentBlocks = [{ type: "text", text: call.prompt }, ...parts];
  return (await aModel(call).invoke([new HumanMessage({ contentBlocks })])).text;
};

async function* pieces(call) {
  for await (const part of await aModel(call).stream(call.prompt)) yield part.text;
}

await given.run({
  plain: (call) => ask(call),
  streamed: (call) => given.joined(pieces(call)),
  tools: async (call) => {
    const tool = { type: "function", function: given.weather };
    return (await aModel(call).bindTools([tool]).invoke(call.prompt)).tool_calls[0].name;
  },
  structured: (call) =>
    aModel(call).withStructuredOutput({ title: "place", ...given.place }).invoke(call.prompt),
  images: (call) =>
    ask(call, { type: "image", mimeType: "image/png", data: given.picture64 }),
  documents: (call) => {
    const metadata = { filename: "a.pdf" };
    return ask(call, { type: "file", mimeType: "application/pdf", data: given.document64, metadata });
  },
  embeddings: async ({ key, prompt }) => {
    const asked = new OpenAIEmbeddings({ model: given.embedding, apiKey: key, configuration });
    return (await asked.embedDocuments([prompt, prompt])).length;
  },
  cancelled: (call) => given.joined(pieces(call), given.isEnough),
});
