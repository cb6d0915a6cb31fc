// Draws the charts of the report from the data in the page, and copies command lines. Everything else
// stands without it.
(function () {
  "use strict";
  // Where the browser lets no page write what is copied, the line is chosen for the keyboard.
  const choose = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  };
  for (const line of document.querySelectorAll(".curl")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = line.querySelector("code");
      choose(code);
      let copied = false;
      try {
        await navigator.clipboard.writeText(code.textContent);
        copied = true;
      } catch {
        copied = document.execCommand("copy");
      }
      button.textContent = copied ? "Copied" : "Chosen";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    line.previousElementSibling.append(button);
  }
})();

(function () {
  "use strict";
  const { history, stages, bands, warmup } = JSON.parse(document.getElementById("data").textContent);
  const { element, colour, count, clock, ms, height, axes } = charting;
  if (!element("chart-requests")) return;

  // A point stands in the middle of the seconds that it covers.
  const times = history.time_s.map((from, i) => from + history.seconds[i] / 2);
  const until = history.time_s.at(-1) + history.seconds.at(-1);

  // Behind the lines: the stages of the load as stripes, and where response times turn bad.
  function background(u, chart) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const ratio = window.devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    if (chart.bands) {
      const y = (ms) => u.valToPos(ms, "y", true);
      const edges = [[0, bands.amber_ms, "good"], [bands.amber_ms, bands.red_ms, "amber"], [bands.red_ms, Infinity, "red"]];
      for (const [from, to, name] of edges) {
        const upper = to === Infinity ? top : Math.max(y(to), top);
        const lower = Math.min(y(from), top + height);
        if (lower > upper) {
          ctx.fillStyle = colour("band-" + name);
          ctx.fillRect(left, upper, width, lower - upper);
        }
      }
    }
    if (warmup) {
      // Hatched, as its figures are in no table; the word stands below those of the stages.
      const x1 = Math.min(u.valToPos(warmup.duration_s, "x", true), left + width);
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, x1 - left, height);
      ctx.clip();
      ctx.strokeStyle = colour("warmup");
      ctx.lineWidth = ratio;
      ctx.beginPath();
      for (let x = left - height; x < x1; x += 8 * ratio) {
        ctx.moveTo(x, top + height);
        ctx.lineTo(x + height, top);
      }
      ctx.moveTo(x1, top);
      ctx.lineTo(x1, top + height);
      ctx.stroke();
      ctx.restore();
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      ctx.textBaseline = "bottom";
      const wide = ctx.measureText("warm-up").width;
      if (wide + 8 * ratio < x1 - left) {
        ctx.fillStyle = colour("card");
        ctx.fillRect(left + 2 * ratio, top + height - 17 * ratio, wide + 4 * ratio, 15 * ratio);
        ctx.fillStyle = colour("dim");
        ctx.fillText("warm-up", left + 4 * ratio, top + height - 3 * ratio);
      }
    }
    if (stages.length > 1) {
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      ctx.textBaseline = "top";
      stages.forEach((stage, i) => {
        const x0 = u.valToPos(stage.from_s, "x", true);
        const x1 = u.valToPos(stage.to_s, "x", true);
        if (i % 2) {
          ctx.fillStyle = colour("stage");
          ctx.fillRect(x0, top, x1 - x0, height);
        }
        if (ctx.measureText(stage.name).width + 8 * ratio < x1 - x0) {
          ctx.fillStyle = colour("dim");
          ctx.fillText(stage.name, x0 + 4 * ratio, top + 3 * ratio);
        }
      });
    }
    ctx.restore();
  }

  const charts = [
    { id: "chart-requests", format: count, series: [
      { label: "requests/s", values: history.requests_per_s, colour: "requests", fill: true },
      { label: "failures/s", values: history.failures_per_s, colour: "failed" } ] },
    { id: "chart-response", format: ms, bands: true, series: [
      { label: "p50", values: history.response_ms_p50, colour: "p50" },
      { label: "p95", values: history.response_ms_p95, colour: "p95" },
      { label: "p99", values: history.response_ms_p99, colour: "p99" } ] },
    // Users are counted at the end of a second.
    { id: "chart-users", format: count, times: history.time_s.map((from, i) => from + history.seconds[i]), series: [
      { label: "users", values: history.users, colour: "users", fill: true } ] },
  ];

  function options(chart, box) {
    const few = times.length <= 40;
    return {
      width: box.clientWidth, height: height(),
      scales: {
        x: { time: false, range: () => [0, Math.max(until, 1)] },
        y: { range: (u, low, high) => [0, high > 0 ? high * (stages.length > 1 ? 1.2 : 1.08) : 1] },
      },
      cursor: { sync: { key: "run" }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      legend: { live: true },
      hooks: { drawClear: [(u) => background(u, chart)] },
      axes: axes(chart.format),
      series: [
        { label: "at", value: (u, at) => clock(at) },
        ...chart.series.map((one) => ({
          label: one.label,
          stroke: () => colour(one.colour),
          fill: one.fill ? () => colour(one.colour) + "22" : undefined,
          width: 2,
          points: { show: few, size: 5 },
          value: (u, value) => chart.format(value),
        })),
      ],
    };
  }

  const drawn = charts.map((chart) => {
    const box = element(chart.id);
    return { box, plot: new uPlot(options(chart, box), [chart.times ?? times, ...chart.series.map((one) => one.values)], box) };
  });
  charting.follow(drawn, times, (at) => charts.flatMap((chart) => chart.series.map((one) => `${one.label} ${chart.format(one.values[at])}`)));
})();
