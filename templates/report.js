// Draws the charts of the report from the data in the page. Everything else stands without it.
(function () {
  "use strict";
  const history = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  if (!element("chart-requests")) return;

  // A point stands in the middle of the seconds that it covers.
  const times = history.time_s.map((from, i) => from + history.seconds[i] / 2);
  const until = history.time_s.at(-1) + history.seconds.at(-1);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const count = (value) => (value == null ? "–" : value >= 1000 ? Math.round(value).toLocaleString("en") : trim(value.toFixed(value >= 100 ? 1 : 2)));
  const ms = (value) =>
    value == null ? "–" : value >= 60000 ? clock(value / 1000) : value >= 1000 ? trim((value / 1000).toFixed(2)) + "s" : trim(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)) + "ms";
  const clock = (seconds) => {
    if (seconds == null) return "–";
    const whole = Math.floor(seconds + 1e-9);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const rest = seconds - whole > 0.05 ? (seconds - whole).toFixed(1).slice(1) : "";
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}${rest}`;
  };

  const charts = [
    { id: "chart-requests", format: count, series: [
      { label: "requests/s", values: history.requests_per_s, colour: "requests", fill: true },
      { label: "failures/s", values: history.failures_per_s, colour: "failed" } ] },
    { id: "chart-response", format: ms, series: [
      { label: "p50", values: history.response_ms_p50, colour: "p50" },
      { label: "p95", values: history.response_ms_p95, colour: "p95" },
      { label: "p99", values: history.response_ms_p99, colour: "p99" } ] },
    { id: "chart-users", format: count, series: [
      { label: "users", values: history.users, colour: "users", fill: true } ] },
  ];

  const height = () => (window.innerWidth < 640 ? 180 : 210);
  // Times read best at steps of a clock, not of ten.
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

  function options(chart, box) {
    const axis = { stroke: () => colour("dim"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const few = times.length <= 40;
    return {
      width: box.clientWidth, height: height(),
      scales: {
        x: { time: false, range: () => [0, Math.max(until, 1)] },
        y: { range: (u, low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      cursor: { sync: { key: "run" }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      legend: { live: true },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(clock), incrs: steps, space: 70, size: 30 },
        { ...axis, values: (u, ticks) => ticks.map(chart.format), size: 64 },
      ],
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
    return { box, plot: new uPlot(options(chart, box), [times, ...chart.series.map((one) => one.values)], box) };
  });
  const resize = () => drawn.forEach(({ box, plot }) => plot.setSize({ width: box.clientWidth, height: height() }));
  new ResizeObserver(resize).observe(drawn[0].box);
  const redraw = () => drawn.forEach(({ plot }) => plot.redraw(false, true));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
