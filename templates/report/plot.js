// How a chart of the report is made: a plot on the one time axis, a key with the figures under the cursor,
// and what lies behind the lines.
const plots = (function () {
  "use strict";
  const { element, colour, clock, height } = charting;
  const ratio = () => window.devicePixelRatio || 1;

  function make(tag, name, text) {
    const one = document.createElement(tag);
    if (name) one.className = name;
    if (text != null) one.textContent = text;
    return one;
  }

  function hatched(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    // Its figures are in no table; the word stands below those of the stages.
    const x1 = Math.min(u.valToPos(run.warmup.until_s, "x", true), left + width);
    if (x1 <= left) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, x1 - left, height);
    ctx.clip();
    ctx.strokeStyle = colour("warmup");
    ctx.lineWidth = ratio();
    ctx.beginPath();
    for (let x = left - height; x < x1; x += 8 * ratio()) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.moveTo(x1, top);
    ctx.lineTo(x1, top + height);
    ctx.stroke();
    ctx.restore();
    ctx.font = `${11 * ratio()}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    const wide = ctx.measureText("warm-up").width;
    if (wide + 8 * ratio() < x1 - left) {
      ctx.fillStyle = colour("card");
      ctx.fillRect(left + 2 * ratio(), top + height - 17 * ratio(), wide + 4 * ratio(), 15 * ratio());
      ctx.fillStyle = colour("dim");
      ctx.fillText("warm-up", left + 4 * ratio(), top + height - 3 * ratio());
    }
  }

  // Behind what a map paints: the warm-up alone, stripes would be taken for its colours.
  function behind(u) {
    if (run.warmup) hatched(u);
  }

  // Behind the lines: the stages of the load as stripes, and the part of the run that a link led to.
  function background(u, own) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    if (own) own(u);
    behind(u);
    run.stages.forEach((stage, i) => {
      if (i % 2 === 0) return;
      const [x0, x1] = [stage.from_s, stage.to_s].map((at) => u.valToPos(at, "x", true));
      ctx.fillStyle = colour("stage");
      ctx.fillRect(x0, top, x1 - x0, height);
    });
    mark(u, top, height, "mark");
    ctx.restore();
  }

  // The part of the run that a link led to.
  function mark(u, top, height, name) {
    const marked = time.marked();
    if (!marked) return;
    const [x0, x1] = marked.map((at) => u.valToPos(at, "x", true));
    const left = Math.max(x0, u.bbox.left);
    const right = Math.min(Math.max(x1, x0 + 2 * ratio()), u.bbox.left + u.bbox.width);
    u.ctx.fillStyle = colour(name);
    if (right > left) u.ctx.fillRect(left, top, right - left, height);
  }

  // Above the lines: the names of the stages, each where it is seen, as far as there is room.
  const above = run.stages.length > 1 ? 20 : 6;
  function heads(u) {
    const { ctx } = u;
    const { left, top, width } = u.bbox;
    ctx.save();
    mark(u, top - 3 * ratio(), 3 * ratio(), "marked");
    ctx.textAlign = "left";
    ctx.setLineDash([]);
    ctx.font = `${11 * ratio()}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.fillStyle = colour("dim");
    ctx.strokeStyle = colour("line");
    ctx.lineWidth = ratio();
    for (const { name, from_s, to_s } of run.stages.length > 1 ? run.stages : []) {
      const [x0, x1] = [from_s, to_s].map((at) => Math.min(left + width, Math.max(left, u.valToPos(at, "x", true))));
      if (x1 - x0 < 2) continue;
      ctx.beginPath();
      ctx.moveTo(Math.round(x0) + 0.5, top - 16 * ratio());
      ctx.lineTo(Math.round(x0) + 0.5, top);
      ctx.stroke();
      if (ctx.measureText(name).width + 8 * ratio() < x1 - x0) ctx.fillText(name, x0 + 5 * ratio(), top - 4 * ratio());
    }
    ctx.restore();
  }

  // Few failures among many requests, or of one kind among those of others, are no area that could be seen:
  // a stroke where it would begin is.
  function few(u, at, { values, colour: name }) {
    const { ctx } = u;
    const { left, width } = u.bbox;
    const tall = Math.round(3 * ratio());
    ctx.fillStyle = colour(name);
    u.data[at].forEach((sum, i) => {
      const x = u.valToPos(u.data[0][i], "x", true);
      if (!(values[i] > 0) || sum == null || x < left || x > left + width) return;
      const [foot, head] = [sum - values[i], sum].map((value) => u.valToPos(value, "y", true));
      if (head < foot - tall) return;
      ctx.fillRect(Math.round(x - ratio()), Math.round(foot) - tall, Math.round(2 * ratio()), tall);
    });
  }

  // A value between none has no line to either side.
  const alone = (values, i) => values[i] != null && values[i - 1] == null && values[i + 1] == null;

  function lonely(values) {
    const found = values.map((_, i) => i).filter((i) => alone(values, i));
    return found.length ? found : null;
  }

  // What is stacked is an area, and of a value alone there is none: a bar is.
  function bars(u, at, { colour: name }) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const wide = Math.round(4 * ratio());
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.fillStyle = colour(name);
    u.data[at].forEach((value, i) => {
      if (!alone(u.data[at], i) || !(value > 0)) return;
      const y = u.valToPos(value, "y", true);
      ctx.fillRect(Math.round(u.valToPos(u.data[0][i], "x", true) - wide / 2), y, wide, top + height - y);
    });
    ctx.restore();
  }

  // Sums from below: each of the stacked lines lies on those before it. Where one is missing all are.
  function stacked(series) {
    const sums = series[0].values.map(() => 0);
    return series.map((one) => one.values.map((value, i) => (sums[i] = value == null || sums[i] == null ? null : sums[i] + value)));
  }

  // What a chart draws, without those that were switched off.
  function table(chart, off) {
    if (!chart.stacked) return chart.series.map((one) => one.values);
    const on = chart.series.filter((one) => !off.has(one));
    const sums = on.length ? stacked(on) : [];
    return chart.series.map((one) => sums[on.indexOf(one)] ?? one.values.map(() => null));
  }

  // The key under a chart: each line's colour, name, and figure under the cursor. A click hides a line.
  function key(chart, box, off, changed) {
    const list = make("div", "key-list");
    const at = make("span", "key-at");
    const figures = chart.series.map((one) => {
      const button = make("button", "key-one");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!off.has(one)));
      const sign = make("i", one.dash ? "sign dashed" : chart.stacked ? "sign area" : "sign");
      sign.style.setProperty("--colour", `var(--${one.colour})`);
      const figure = make("b");
      button.append(sign, one.label, " ", figure);
      button.addEventListener("click", () => {
        if (!off.delete(one)) off.add(one);
        button.setAttribute("aria-pressed", String(!off.has(one)));
        changed();
      });
      list.append(button);
      return figure;
    });
    box.previousElementSibling.append(at);
    box.after(list);
    return (index) => {
      at.textContent = index == null ? "" : `at ${clock(chart.times[index])}`;
      figures.forEach((figure, i) => (figure.textContent = index == null ? "" : (chart.series[i].format ?? chart.format)(chart.series[i].values[index])));
    };
  }

  /**
   * Draws a chart into a box. A chart is { times, series: [{ label, values, colour, fill, dash, hidden, scale,
   * format, few }], format, stacked, fills: [[upper, lower, colour]], behind, over, least, second }.
   */
  function draw(chart, box, tall) {
    const off = new Set(chart.series.filter((one) => one.hidden));
    // Of what is stacked the uppermost is painted first.
    const order = chart.stacked ? [...chart.series].reverse() : chart.series;
    const arranged = () => {
      const values = table(chart, off);
      return [chart.times, ...order.map((one) => values[chart.series.indexOf(one)])];
    };
    const on = (u, draw) => order.forEach((one, i) => off.has(one) || draw(u, i + 1, one));
    const top = 1.08;
    const { hooks } = time.options;
    let tell = () => {};
    const axes = charting.axes(chart.format);
    axes[1].size = 58;
    const scales = { x: time.options.scale, y: { range: (u, low, high) => [0, Math.max(high > 0 ? high * top : 0, chart.least ?? 0) || 1] } };
    if (chart.second) {
      scales.second = { range: (u, low, high) => [0, high > 0 ? high * top : 1] };
      axes.push({ ...axes[1], side: 1, scale: "second", grid: { show: false }, values: (u, ticks) => ticks.map(chart.second) });
    }
    const plot = new uPlot({
      width: box.clientWidth,
      height: tall ? tall() : height(),
      padding: [above, chart.second ? 0 : 18, 0, 0],
      scales,
      cursor: time.options.cursor,
      legend: { show: false },
      hooks: {
        ...hooks,
        setCursor: [...hooks.setCursor, (u) => tell(u.cursor.left < 0 ? null : u.cursor.idx)],
        drawClear: [(u) => background(u, chart.behind)],
        draw: [heads, (u) => chart.stacked && on(u, bars), (u) => on(u, (u, at, one) => one.few && few(u, at, one)), ...(chart.over ? [chart.over] : [])],
      },
      axes,
      bands: (chart.fills ?? []).map(([upper, lower, name]) => ({ series: [upper + 1, lower + 1], fill: () => colour(name) })),
      series: [
        {},
        ...order.map((one) => ({
          label: one.label,
          show: !off.has(one),
          scale: one.scale ?? "y",
          stroke: () => colour(one.colour),
          fill: chart.stacked && !one.fill ? () => colour(one.colour) : one.fill ? () => colour(one.colour) + (chart.stacked ? "66" : "22") : undefined,
          width: chart.stacked && !one.fill ? 0 : one.width ?? 1.75,
          dash: one.dash,
          spanGaps: false,
          points: {
            show: (u, series, from, to) => !chart.stacked && to - from <= 40,
            filter: (u, series, isShown) => (isShown || chart.stacked ? null : lonely(u.data[series])),
            size: one.width > 2 ? one.width + 4 : 5,
          },
          value: (u, value) => chart.format(value),
        })),
      ],
    }, arranged(), box);
    tell = key(chart, box, off, () => {
      order.forEach((one, i) => plot.setSeries(i + 1, { show: !off.has(one) }, false));
      plot.setData(arranged());
    });
    time.keys(box, chart.times, (at) => chart.series.map((one) => `${one.label} ${(one.format ?? chart.format)(one.values[at])}`).join(", "));
    const one = { box, plot, tall };
    time.drawn.add(one);
    return one;
  }

  return { draw, make, above, behind, heads };
})();
