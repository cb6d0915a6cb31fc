// Draws the runs of both sides in each chart. Everything else stands without it.
(function () {
  "use strict";
  const courses = JSON.parse(document.getElementById("data").textContent);
  const { element, colour, count, clock, ms, height, axes } = charting;
  // The baseline is dashed and comes last, on top: where both are the same, both are seen.
  const runs = ["new", "baseline"].flatMap((side) =>
    courses[side].map((run, i) => ({ ...run, side, label: courses[side].length > 1 ? `${side} ${i + 1}` : side })));

  const charts = [
    { id: "chart-p50", key: "response_ms_p50", format: ms },
    { id: "chart-p95", key: "response_ms_p95", format: ms },
    { id: "chart-requests", key: "requests_per_s", format: count },
    { id: "chart-failures", key: "failures_per_s", format: count },
  ];
  const until = Math.max(1, ...runs.map((run) => (run.time_s.at(-1) ?? 0) + run.step_s));

  function options(chart, box) {
    return {
      width: box.clientWidth, height: height(),
      scales: {
        x: { time: false, range: () => [0, until] },
        y: { range: (u, low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      cursor: { sync: { key: "runs" }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
      legend: { live: true },
      axes: axes(chart.format),
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

  charting.follow(drawn, drawn[0].plot.data[0], (at) => drawn.flatMap(({ box, chart, plot }) =>
    runs.map((run, i) => `${box.previousElementSibling.textContent}, ${run.label}: ${chart.format(plot.data[i + 1][at])}`)));
})();
