// Opens streams and counts what arrives. Reads its plan, and prints its findings, as JSON.
//
// The plan: {host, port, path, headers: [{...}], body, streams, tokens, ramp_s, window_s: [from, to],
// stop_s, deadline_s}. Streams start evenly over ramp_s. With stop_s each client begins another
// stream when one ends, until then. What is still open at deadline_s is counted as unfinished.
import { readFileSync } from "node:fs";
import net from "node:net";

const plan = JSON.parse(readFileSync(0));
const EVENT = Buffer.from("\ndata: {");
const DONE = Buffer.from("data: [DONE]");
const KEEP = Math.max(EVENT.length, DONE.length) - 1;

const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;
const firsts = [];
const errors = {};
const open = new Set();
let inWindow = 0, total = 0, finished = 0, started = 0;

function run(number) {
  const body = Buffer.from(JSON.stringify(plan.body));
  const headers = plan.headers[number % plan.headers.length];
  const head = `POST ${plan.path} HTTP/1.1\r\nhost: ${plan.host}:${plan.port}\r\n` +
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("") +
    `content-type: application/json\r\naccept: text/event-stream\r\n` +
    `content-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  const sent = performance.now();
  started += 1;
  let tail = Buffer.alloc(0), events = 0, ended = false, status = null;
  const socket = net.connect({ host: plan.host, port: plan.port, noDelay: true });
  open.add(socket);

  function leave(error) {
    if (ended) return;
    ended = true;
    open.delete(socket);
    socket.destroy();
    if (error) errors[error] = (errors[error] ?? 0) + 1;
    else finished += 1;
    if (plan.stop_s && elapsed() < plan.stop_s) run(number + plan.streams);
  }

  socket.on("connect", () => socket.write(Buffer.concat([Buffer.from(head, "latin1"), body])));
  socket.on("data", (data) => {
    if (status === null) {
      status = data.subarray(9, 12).toString();
      if (status !== "200") return leave(`status ${status}`);
    }
    const text = tail.length ? Buffer.concat([tail, data]) : data;
    let found = 0, done = false;
    for (let at = text.indexOf(EVENT); at !== -1; at = text.indexOf(EVENT, at + EVENT.length)) {
      found += 1;
    }
    if (text.indexOf(DONE) !== -1) done = true;
    // Keep what may be the beginning of a mark, but nothing that holds a whole one.
    let keep = text.subarray(Math.max(0, text.length - KEEP));
    const last = keep.lastIndexOf(EVENT);
    if (last !== -1) keep = keep.subarray(last + EVENT.length);
    tail = Buffer.from(keep);
    if (found) {
      if (events === 0) firsts.push(performance.now() - sent);
      events += found;
      total += found;
      const now = elapsed();
      if (now >= plan.window_s[0] && now < plan.window_s[1]) inWindow += found;
    }
    if (done) leave(events < plan.tokens ? "tokens missing" : null);
  });
  socket.on("error", (error) => leave(error.code));
  socket.on("close", () => leave("cut"));
}

for (let number = 0; number < plan.streams; number += 1) {
  setTimeout(() => run(number), (number / plan.streams) * plan.ramp_s * 1000);
}
const deadline = setTimeout(finish, plan.deadline_s * 1000);
const look = setInterval(() => {
  const over = plan.stop_s ? elapsed() >= plan.stop_s : started === plan.streams;
  if (over && open.size === 0) finish();
}, 20);

function finish() {
  clearTimeout(deadline);
  clearInterval(look);
  const unfinished = open.size;
  plan.stop_s = 0;
  const seconds = elapsed();
  firsts.sort((a, b) => a - b);
  const percentile = (share) => firsts[Math.min(firsts.length - 1, Math.floor(firsts.length * share))] ?? null;
  console.log(JSON.stringify({
    started, finished, unfinished, errors, events: total, events_in_window: inWindow, seconds,
    first_p50_ms: percentile(0.5), first_p99_ms: percentile(0.99), first_worst_ms: firsts.at(-1) ?? null,
  }));
  process.exit(0);
}
