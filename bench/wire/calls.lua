-- Plain calls: one body, and every request the next of several keys in turn.
-- Arguments: the body, a file with one set of headers per line ("name: value|name: value").

local requests, at = {}, 0

function init(arguments)
  for line in io.lines(arguments[2]) do
    local headers = { ["Content-Type"] = "application/json" }
    for name, value in line:gmatch("([^:|]+): ([^|]+)") do
      headers[name] = value
    end
    requests[#requests + 1] = wrk.format("POST", nil, headers, arguments[1])
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  io.write(string.format(
    '\n{"calls": %d, "seconds": %f, "refused": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f, "worst_ms": %f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
