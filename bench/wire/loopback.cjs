// Loaded into a server that would listen on every interface: it listens on loopback only.
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function onLoopback(first, ...rest) {
  const address = typeof first === "object" && first !== null ? first : { port: Number(first) };
  const callback = rest.find((argument) => typeof argument === "function");
  return listen.call(this, { ...address, host: "127.0.0.1" }, callback);
};
