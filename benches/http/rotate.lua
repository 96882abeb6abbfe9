-- Sends the tokens of a file (one per line) in rotation. The benchmark parses the last line of the report.
local requests, index = {}, 0

function init(args)
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
  end
end

function request()
  index = index % #requests + 1
  return requests[index]
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("figures %d %d %d %d %d\n", summary.requests, summary.duration, errors.status, failed, latency:percentile(99)))
end
