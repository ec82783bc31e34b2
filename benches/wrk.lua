-- asks for the paths of a file (argument 1) in their order, round and round; ends with one line of JSON
local paths, at = {}, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    paths[#paths + 1] = wrk.format("GET", path)
  end
end

function request()
  at = at % #paths + 1
  return paths[at]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"rate": %.2f, "requests": %d, "bytes": %.0f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests / summary.duration * 1e6, summary.requests, summary.bytes / math.max(summary.requests, 1),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
