// The charts over time: what each draws, of the whole run.
(function () {
  "use strict";
  const { element, colour, count, ms } = charting;
  const { history, bands, limits } = run;
  if (!element("chart-requests")) return;

  // A point stands in the middle of the seconds that it covers.
  const times = history.time_s.map((from, i) => from + history.seconds[i] / 2);
  // Users are counted at the end of a second.
  const ends = history.time_s.map((from, i) => from + history.seconds[i]);
  const percent = (fraction) => (fraction == null ? "–" : count(Math.round(fraction * 1000) / 10) + "%");
  const bytes = (value) => {
    if (value == null) return "–";
    const units = ["B", "KB", "MB", "GB", "TB"];
    let at = 0;
    while (value >= 999.5 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
    return `${at ? count(Number(value.toPrecision(3))) : Math.round(value)} ${units[at]}`;
  };

  // Where response times turn bad, and the limits of thresholds as lines.
  function banded(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const ratio = window.devicePixelRatio || 1;
    const y = (ms) => u.valToPos(ms, "y", true);
    const edges = [[bands.amber_ms, bands.red_ms, "amber"], [bands.red_ms, Infinity, "red"]];
    for (const [from, to, name] of edges) {
      const upper = to === Infinity ? top : Math.max(y(to), top);
      const lower = Math.min(y(from), top + height);
      if (lower > upper) {
        ctx.fillStyle = colour("band-" + name);
        ctx.fillRect(left, upper, width, lower - upper);
      }
    }
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.lineWidth = ratio;
    for (const { ms, broke } of limits) {
      const at = y(ms);
      ctx.strokeStyle = colour(broke ? "bad" : "dim");
      ctx.beginPath();
      ctx.moveTo(left, at);
      ctx.lineTo(left + width, at);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  // The words of limits lie on top, with a rim that keeps them apart from the lines.
  function limited(u) {
    const { ctx } = u;
    const { left, top, height } = u.bbox;
    const ratio = window.devicePixelRatio || 1;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    ctx.lineJoin = "round";
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = colour("card");
    for (const { text, ms, broke } of limits) {
      const at = u.valToPos(ms, "y", true);
      if (at < top + 12 * ratio || at > top + height) continue;
      ctx.fillStyle = colour(broke ? "bad" : "dim");
      ctx.strokeText(text, left + 5 * ratio, at - 2 * ratio);
      ctx.fillText(text, left + 5 * ratio, at - 2 * ratio);
    }
    ctx.restore();
  }

  const kinds = [
    ["server_error", "server errors"],
    ["status", "unexpected status"],
    ["connection", "connection"],
    ["timeout", "timeouts"],
    ["rule", "rules of the plan"],
    ["generator", "generator"],
  ];
  const parts = [
    ["waited", "waiting for a user"],
    ["connect", "connect"],
    ["tls", "TLS"],
    ["first_byte", "first byte"],
    ["body", "body"],
    ["unanswered", "no answer came"],
    ["other", "other"],
  ];
  const some = (values) => values?.some((value) => value > 0);
  const cores = run.cores;
  const charts = {
    "chart-response": { format: ms, behind: banded, over: limited, fills: [[1, 0, "fill-inner"], [3, 1, "fill-outer"]], series: [
      { label: "p50", values: history.response_ms_p50, colour: "p50" },
      { label: "p90", values: history.response_ms_p90, colour: "p90" },
      { label: "p95", values: history.response_ms_p95, colour: "p95" },
      { label: "p99", values: history.response_ms_p99, colour: "p99" },
      { label: "max", values: history.response_ms_max, colour: "dim", hidden: true, dash: [3, 3] } ] },
    "chart-requests": { format: count, stacked: true, series: [
      { label: "failed", values: history.failures_per_s, colour: "failed", few: true },
      { label: "succeeded", values: history.requests_per_s.map((all, i) => Math.max(0, all - history.failures_per_s[i])), colour: "requests", fill: true } ] },
    "chart-users": { format: count, times: ends, series: [
      { label: "users", values: history.users, colour: "users", fill: true },
      { label: "asked for", values: history.asked_users, colour: "text", dash: [5, 4] } ] },
    "chart-load": { format: count, series: [
      { label: "due", values: history.arrivals_per_s, colour: "requests", fill: true },
      { label: "dropped", values: history.dropped_per_s, colour: "failed", fill: true } ] },
    "chart-failures": { format: count, stacked: true, series: kinds
      .filter(([kind]) => some(history.failures_by_kind_per_s?.[kind]))
      .map(([kind, label]) => ({ label, values: history.failures_by_kind_per_s[kind], colour: "kind-" + kind, few: true })) },
    "chart-timings": { format: ms, stacked: true, series: parts
      .filter(([part]) => some(history[part + "_ms_avg"]))
      .map(([part, label]) => ({ label, values: history[part + "_ms_avg"], colour: "part-" + part })) },
    "chart-bytes": { format: bytes, series: [
      { label: "bytes/s", values: history.body_bytes_per_s, colour: "bytes", fill: true } ] },
    // Where nothing else runs throng is all that the machine does: the broad line is seen beside the other.
    "chart-generator": { format: percent, least: 1, second: some(history.late_ms_p99) ? ms : null, series: [
      { label: "machine busy", values: history.machine_busy_fraction, colour: "machine", fill: true, width: 4 },
      ...(cores ? [{ label: "throng of it", values: history.process_cores.map((used) => (used == null ? null : used / cores)), colour: "users" }] : []),
      { label: "late, p99", values: history.late_ms_p99, colour: "p95", dash: [5, 3], format: ms, scale: some(history.late_ms_p99) ? "second" : "y" } ] },
  };
  // What has no figure at all has no place in the key.
  const told = (one) => one.values?.some((value) => value != null);

  for (const box of document.querySelectorAll(".charts .chart")) {
    const caption = box.previousElementSibling.textContent;
    if (box.id === "chart-heat") {
      tables.behind(box, caption, heat.draw(box));
      continue;
    }
    const chart = { times, ...charts[box.id] };
    chart.series = chart.series.filter(told);
    const all = chart.series;
    if (chart.stacked && all.length) {
      // What is too thin to be seen at any time would only be a word without an area.
      const highest = Math.max(...chart.series[0].values.map((_, i) => chart.series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0)));
      const seen = chart.series.filter((one) => one.values.some((value) => value > (one.few ? 0 : highest / 200)));
      if (seen.length) chart.series = seen;
    }
    if (!chart.series.length) continue;
    plots.draw(chart, box);
    tables.behind(box, caption, { times: history.time_s, columns: all.map((one) => ({ format: chart.format, ...one })) });
  }
  charting.keep(time.drawn, document.querySelector(".charts"));
})();
