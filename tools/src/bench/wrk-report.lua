-- Prints one line of JSON. wrk itself counts answers of 400 and above and socket errors: a function called for each
-- response would cost as much as the fastest servers do, on the same cores.
function init(args)
  wrk.method = os.getenv("BENCH_METHOD") or "GET"
  local bytes = tonumber(os.getenv("BENCH_UPLOAD_BYTES") or "0")
  if bytes > 0 then
    wrk.body = string.rep("x", bytes)
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
  local paths = os.getenv("BENCH_PATHS") or ""
  if paths ~= "" then
    -- Made once: wrk then asks for each in turn.
    local requests = {}
    for path in paths:gmatch("[^\n]+") do
      requests[#requests + 1] = wrk.format(nil, path)
    end
    local at = 0
    request = function()
      at = at % #requests + 1
      return requests[at]
    end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"us":%d,"p50":%d,"p99":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
