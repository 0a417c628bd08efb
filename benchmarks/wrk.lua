-- Plays a file of ready-made requests, each once, and prints one line of figures.
-- Environment: BENCH_REQUESTS (the file), BENCH_PATH (the path to POST to).

local requests = {}
local at = 0

function init(_)
  local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
  local text = file:read("*a")
  file:close()
  local first = "POST " .. os.getenv("BENCH_PATH") .. " HTTP/1.1\r\n"
  local from = 1
  while true do
    local to = string.find(text, "\0", from, true)
    if not to then break end
    requests[#requests + 1] = first .. string.sub(text, from, to - 1)
    from = to + 1
  end
end

function request()
  at = at + 1
  if at >= #requests then wrk.thread:stop() end
  return requests[math.min(at, #requests)]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nfigures {"requests":%d,"seconds":%f,"refused":%d,"broken":%d,"p50":%f,"p99":%f,"most":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
