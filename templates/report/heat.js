// Where response times lay over time: a column for each step, a row for each stretch of times, and the
// colour says how many a second.
const heat = (function () {
  "use strict";
  const { colour, clock, ms, count, height } = charting;
  const { heat: map } = run;
  const SHADES = 32;

  // The edges of a row, in milliseconds.
  const below = (row) => (row <= 0 ? 0 : map.least_ms * 10 ** ((row - 1) / map.per_decade));
  const above = (row) => map.least_ms * 10 ** (row / map.per_decade);

  // A ramp through the colours that the style gives, in even steps.
  function ramp() {
    const stops = colour("heat").split(/\s+/).map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    return Array.from({ length: SHADES }, (_, i) => {
      const place = (i / (SHADES - 1)) * (stops.length - 1);
      const from = Math.min(Math.floor(place), stops.length - 2);
      const mix = stops[from].map((part, c) => Math.round(part + (stops[from + 1][c] - part) * (place - from)));
      return `rgb(${mix.join(",")})`;
    });
  }

  function draw(box) {
    const rates = map.counts.map((column, i) => column.map(([, requests]) => requests / map.seconds[i]));
    const all = rates.flat();
    const [most, fewest] = [all.reduce((a, b) => Math.max(a, b), 0), all.reduce((a, b) => Math.min(a, b), Infinity)];
    const rows = map.counts.flat().map(([row]) => row);
    let low = rows.reduce((a, b) => Math.min(a, b), Infinity);
    let high = rows.reduce((a, b) => Math.max(a, b), 0);
    // Less than a tenfold stretch would look like a wide spread.
    while (high - low < map.per_decade) {
      high += 1;
      if (high - low < map.per_decade && low > 1) low -= 1;
    }
    const bottom = Math.max(below(low), map.least_ms / 10);
    // The eye tells few from many better on a scale of ratios.
    const shade = (rate) => (most > fewest ? Math.round((Math.log(rate / fewest) / Math.log(most / fewest)) * (SHADES - 1)) : SHADES - 1);

    const times = map.time_s.map((from, i) => from + map.seconds[i] / 2);
    let pointed = null;
    const readout = plots.make("div", "key-list");
    const said = plots.make("span", "key-cell", "Point at the map to read a cell.");
    const scale = plots.make("span", "key-scale");
    const bar = document.createElement("canvas");
    [bar.width, bar.height] = [SHADES * 3, 10];
    bar.setAttribute("aria-hidden", "true");
    scale.append(`${count(fewest)}/s `, bar, ` ${count(most)}/s`);
    readout.append(scale, said);

    function paint(u) {
      const { ctx } = u;
      const shades = ramp();
      const legend = bar.getContext("2d");
      shades.forEach((one, i) => {
        legend.fillStyle = one;
        legend.fillRect(i * 3, 0, 3, bar.height);
      });
      ctx.save();
      ctx.beginPath();
      ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      ctx.clip();
      const y = new Map();
      const edge = (row) => y.get(row) ?? (y.set(row, Math.round(u.valToPos(Math.max(above(row), bottom), "y", true))), y.get(row));
      map.counts.forEach((column, i) => {
        const from = map.time_s[i];
        const to = from + map.seconds[i];
        if (to < time.shown.from || from > time.shown.to) return;
        const x0 = Math.round(u.valToPos(from, "x", true));
        const x1 = Math.round(u.valToPos(to, "x", true));
        column.forEach(([row], j) => {
          ctx.fillStyle = shades[shade(rates[i][j])];
          ctx.fillRect(x0, edge(row), Math.max(x1 - x0, 1), Math.max(edge(row - 1) - edge(row), 1));
        });
      });
      if (pointed) {
        const [i, row] = pointed;
        const x0 = u.valToPos(map.time_s[i], "x", true);
        const x1 = u.valToPos(map.time_s[i] + map.seconds[i], "x", true);
        ctx.strokeStyle = colour("text");
        ctx.lineWidth = window.devicePixelRatio || 1;
        ctx.strokeRect(x0, edge(row), Math.max(x1 - x0, 2), edge(row - 1) - edge(row));
      }
      ctx.restore();
    }

    const cell = (i, row) => {
      const requests = map.counts[i].find(([one]) => one === row)?.[1] ?? 0;
      const column = map.counts[i].reduce((sum, [, one]) => sum + one, 0);
      const share = column ? ` of ${count(column)}` : "";
      return `${clock(map.time_s[i])}, ${ms(below(row))} to ${ms(above(row))}: ${count(requests)}${share} requests`;
    };
    // Of a column by itself: where most of it lay.
    const densest = (i) => map.counts[i].reduce((best, one) => (best && best[1] >= one[1] ? best : one), null);
    const words = (i) => {
      const best = densest(i);
      return best ? `most in ${cell(i, best[0])}` : "no requests";
    };

    function tell(u) {
      const { left, top, idx } = u.cursor;
      let next = null;
      if (left >= 0 && idx != null) {
        // Keys choose a column, the pointer a cell.
        const at = time.under(u) && top >= 0 ? u.posToVal(top, "y") : null;
        const row = at == null ? densest(idx)?.[0] : Math.max(0, Math.ceil(Math.log10(at / map.least_ms) * map.per_decade));
        if (row != null) next = [idx, row];
      }
      said.textContent = next ? cell(...next) : "Point at the map to read a cell.";
      if (String(next) !== String(pointed)) {
        pointed = next;
        u.redraw(false, false);
      }
    }

    const axes = charting.axes(ms);
    axes[1].size = 58;
    axes[1].grid = { show: false };
    axes[0].grid = { show: false };
    axes[1].splits = () => {
      const ticks = [];
      for (let tick = 10 ** Math.floor(Math.log10(bottom)); tick <= above(high) * 1.001; tick *= 10) {
        const wide = Math.log10(above(high) / bottom) < 2.2;
        for (const part of wide ? [1, 2, 5] : [1]) ticks.push(tick * part);
      }
      return ticks.filter((tick) => tick >= bottom * 0.999 && tick <= above(high) * 1.001);
    };
    axes[1].filter = (u, splits) => splits;
    const { hooks } = time.options;
    const plot = new uPlot({
      width: box.clientWidth,
      height: height(),
      padding: [plots.above, 18, 0, 0],
      scales: { x: time.options.scale, y: { distr: 3, log: 10, range: () => [bottom, above(high)] } },
      cursor: { ...time.options.cursor, points: { show: false } },
      legend: { show: false },
      hooks: { ...hooks, setCursor: [...hooks.setCursor, tell], drawClear: [plots.behind], draw: [paint, plots.heads] },
      axes,
      series: [{}, { paths: () => null, points: { show: false } }],
    }, [times, times.map(() => above(high))], box);
    box.after(readout);
    time.keys(box, times, words);
    time.drawn.add({ box, plot });

    const present = [...new Set(rows)].sort((a, b) => a - b);
    return {
      times: map.time_s,
      columns: present.map((row) => ({
        label: `${ms(below(row))} to ${ms(above(row))}`,
        values: map.counts.map((column) => column.find(([one]) => one === row)?.[1] ?? 0),
        format: count,
      })),
    };
  }

  return { draw };
})();
