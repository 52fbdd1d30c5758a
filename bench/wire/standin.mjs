// The model server's stand-in for streams.
// node standin.mjs PORT CHAT_JSON MODEL_INFO_JSON
//
// The model's name says how it speaks: bench-paced 50 tokens a second, bench-instant all at
// once, bench-idle one token and then silence. max_tokens is how many tokens there are.
import { readFileSync } from "node:fs";
import http from "node:http";

const [port, chatFile, infoFile] = process.argv.slice(2);
const plain = readFileSync(chatFile);
const info = readFileSync(infoFile);
const INTERVAL_MS = 20;
const IDLE_MS = 60_000;

const event = (choices, usage = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1700000000, model: "bench",
    choices, usage,
  })}\n\n`;
// Not the same word again and again: LiteLLM ends a stream that looks stuck.
const TOKENS = ["jambo", "karibu", "habari", "asante", "rafiki", "safari", "pole", "sana"].map(
  (word) => Buffer.from(event([{ index: 0, delta: { content: ` ${word}` }, finish_reason: null }])));
const token = (number) => TOKENS[number % TOKENS.length];
const FIRST = Buffer.from(
  event([{ index: 0, delta: { role: "assistant", content: " token" }, finish_reason: null }]));
const STOP = event([{ index: 0, delta: {}, finish_reason: "stop" }]);
const end = (tokens, wantsUsage) => STOP + (wantsUsage ? event([], {
  prompt_tokens: 12, completion_tokens: tokens, total_tokens: 12 + tokens,
}) : "") + "data: [DONE]\n\n";

// Streams that began in the same millisecond of the interval speak in the same millisecond,
// so that tokens leave evenly spread, as those of many independent streams do.
const slots = Array.from({ length: INTERVAL_MS }, () => new Set());
let ticked = Date.now();
setInterval(() => {
  const now = Date.now();
  for (; ticked < now; ticked += 1) {
    for (const stream of slots[(ticked + 1) % INTERVAL_MS]) stream.speak();
  }
}, 1);

class Paced {
  constructor(response, tokens, wantsUsage) {
    Object.assign(this, { response, left: tokens - 1, tokens, wantsUsage });
    this.slot = slots[Date.now() % INTERVAL_MS];
    this.slot.add(this);
    response.on("close", () => this.slot.delete(this));
  }

  speak() {
    if (this.left > 0) {
      this.left -= 1;
      this.response.write(token(this.left));
    } else {
      this.slot.delete(this);
      this.response.end(end(this.tokens, this.wantsUsage));
    }
  }
}

function stream(request, response) {
  const tokens = request.max_tokens ?? request.max_completion_tokens ?? 100;
  const wantsUsage = request.stream_options?.include_usage === true;
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.write(FIRST);
  if (request.model.endsWith("bench-paced")) {
    new Paced(response, tokens, wantsUsage);
  } else if (request.model.endsWith("bench-idle")) {
    const timer = setTimeout(() => response.end(end(1, wantsUsage)), IDLE_MS);
    response.on("close", () => clearTimeout(timer));
  } else {
    for (let left = tokens - 1; left > 0; left -= 1) response.write(token(left));
    response.end(end(tokens, wantsUsage));
  }
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.method === "POST") {
      const body = JSON.parse(Buffer.concat(parts));
      if (body.stream) return stream(body, response);
    }
    const answer = request.method === "POST" ? plain : info;
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
