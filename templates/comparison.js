// Draws the runs of both sides in each chart. Everything else stands without it.
(function () {
  "use strict";
  const courses = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  // The baseline is dashed and comes last, on top: where both are the same, both are seen.
  const runs = ["new", "baseline"].flatMap((side) =>
    courses[side].map((run, i) => ({ ...run, side, label: courses[side].length > 1 ? `${side} ${i + 1}` : side })));

  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const count = (value) => (value == null ? "–" : value >= 1000 ? Math.round(value).toLocaleString("en") : trim(value.toFixed(value >= 100 ? 1 : 2)));
  const clock = (seconds) => {
    if (seconds == null) return "–";
    const whole = Math.floor(seconds + 1e-9);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };
  const ms = (value) =>
    value == null ? "–" : value >= 60000 ? clock(value / 1000) : value >= 1000 ? trim((value / 1000).toFixed(2)) + "s" : trim(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)) + "ms";

  const charts = [
    { id: "chart-p50", key: "response_ms_p50", format: ms },
    { id: "chart-p95", key: "response_ms_p95", format: ms },
    { id: "chart-requests", key: "requests_per_s", format: count },
    { id: "chart-failures", key: "failures_per_s", format: count },
  ];
  const until = Math.max(1, ...runs.map((run) => (run.time_s.at(-1) ?? 0) + run.step_s));
  const height = () => (window.innerWidth < 640 ? 180 : 210);
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

  function options(chart, box) {
    const axis = { stroke: () => colour("dim"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return {
      width: box.clientWidth, height: height(),
      scales: {
        x: { time: false, range: () => [0, until] },
        y: { range: (u, low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      cursor: { sync: { key: "runs" }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      legend: { live: true },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(clock), incrs: steps, space: 70, size: 30 },
        { ...axis, values: (u, ticks) => ticks.map(chart.format), size: 64 },
      ],
      series: [
        { label: "at", value: (u, at) => clock(at) },
        ...runs.map((run) => ({
          label: run.label,
          stroke: () => colour(run.side),
          dash: run.side === "baseline" ? [6, 4] : undefined,
          width: 2,
          spanGaps: true,
          points: { show: run.time_s.length <= 40, size: 5 },
          value: (u, value) => chart.format(value),
        })),
      ],
    };
  }

  // Runs may have points at other times than each other.
  const table = (chart) => uPlot.join(runs.map((run) => [run.time_s.map((from) => from + run.step_s / 2), run[chart.key]]));
  if (!runs.some((run) => run.time_s.length > 0)) return;
  const drawn = charts.map((chart) => {
    const box = element(chart.id);
    return { box, chart, plot: new uPlot(options(chart, box), table(chart), box) };
  });

  // The arrow keys move the one cursor of all charts, and say what it meets.
  const times = drawn[0].plot.data[0];
  let at = null;
  const go = (to) => {
    at = to;
    for (const { plot } of drawn) {
      plot.setCursor({ left: at == null ? -10 : plot.valToPos(times[at], "x"), top: 0 });
    }
    const words = drawn.flatMap(({ box, chart, plot }) =>
      runs.map((run, i) => `${box.previousElementSibling.textContent}, ${run.label}: ${chart.format(plot.data[i + 1][at])}`));
    element("reading").textContent = at == null ? "" : `${clock(times[at])}: ${words.join(", ")}`;
  };
  const last = times.length - 1;
  const keys = {
    ArrowRight: () => Math.min(last, at == null ? 0 : at + 1),
    ArrowLeft: () => Math.max(0, at == null ? last : at - 1),
    PageDown: () => Math.min(last, (at ?? 0) + 10),
    PageUp: () => Math.max(0, (at ?? last) - 10),
    Home: () => 0,
    End: () => last,
    Escape: () => null,
  };
  for (const { box } of drawn) {
    box.addEventListener("keydown", (event) => {
      const key = keys[event.key];
      if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      go(key());
    });
  }

  const resize = () => drawn.forEach(({ box, plot }) => plot.setSize({ width: box.clientWidth, height: height() }));
  new ResizeObserver(resize).observe(drawn[0].box);
  const redraw = () => drawn.forEach(({ plot }) => plot.redraw(false, true));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  // Paper is white whatever the screen is.
  const printing = (is) => () => {
    document.documentElement.classList.toggle("printing", is);
    redraw();
  };
  window.addEventListener("beforeprint", printing(true));
  window.addEventListener("afterprint", printing(false));
})();
