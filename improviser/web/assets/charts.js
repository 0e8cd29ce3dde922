// Two pictures of a training run, each on a canvas: the curve of the fitness, and a phrase as a piano roll.
const EDGE = 6, LABELS = 46, FONT = "11px system-ui, sans-serif";

function begin(canvas) {
  const ratio = devicePixelRatio || 1, brush = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.font = FONT;
  const colours = Object.fromEntries(["player", "improviser", "improviser-soft", "ink", "soft", "guide"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { brush, colours, width: canvas.clientWidth, height: canvas.clientHeight };
}

// Points are [generation, best, mean, held out]; what is not known is null.
export function drawCurve(canvas, points) {
  const { brush, colours, width, height } = begin(canvas);
  const best = points.map((point) => point[1]).filter((value) => value !== null).sort((one, other) => one - other);
  if (best.length === 0) return;
  // From the first best on: the means of the first generations may lie far below all that matters.
  const others = points.flatMap((point) => point.slice(2)).filter((value) => value !== null);
  const high = Math.max(best.at(-1), ...others), low = Math.min(best[0], Math.max(Math.min(...others, best[0]), best[0] - (high - best[0]) - 1e-9));
  const first = points[0][0], last = Math.max(first + 1, points.at(-1)[0]);
  const x = (generation) => LABELS + ((width - LABELS - EDGE) * (generation - first)) / (last - first);
  const y = (value) => height - 16 - ((height - 16 - 2 * EDGE) * (Math.max(low, value) - low)) / (high - low || 1);
  brush.fillStyle = colours.soft;
  brush.strokeStyle = colours.guide;
  for (const value of [low, (low + high) / 2, high]) {
    brush.beginPath();
    brush.moveTo(LABELS, y(value));
    brush.lineTo(width - EDGE, y(value));
    brush.stroke();
    brush.fillText(value.toFixed(2), 4, y(value) + 4);
  }
  brush.fillText(String(first), LABELS, height - 3);
  brush.textAlign = "right";
  brush.fillText(String(points.at(-1)[0]), width - EDGE, height - 3);
  brush.textAlign = "left";
  for (const [place, colour, dash, thick] of [[2, colours.soft, [5, 4], 1.5], [3, colours.improviser, [2, 3], 2], [1, colours.player, [], 2.5]]) {
    brush.strokeStyle = colour;
    brush.lineWidth = thick;
    brush.setLineDash(dash);
    brush.beginPath();
    let drawn = false;
    for (const point of points) {
      if (point[place] === null) continue;
      if (drawn) brush.lineTo(x(point[0]), y(point[place]));
      else brush.moveTo(x(point[0]), y(point[place]));
      drawn = true;
    }
    brush.stroke();
  }
  brush.setLineDash([]);
}

export function drawPhrase(canvas, tune, phrase) {
  const { brush, colours, width, height } = begin(canvas);
  const pitches = [...tune, ...phrase];
  if (pitches.length === 0) return;
  const low = Math.min(...pitches) - 1, high = Math.max(...pitches) + 1, row = (height - 2 * EDGE) / (high - low + 1);
  const column = (width - 2 * EDGE) / Math.max(tune.length, phrase.length);
  for (const [notes, fill, line] of [[tune, colours.player, colours.player], [phrase, colours["improviser-soft"], colours.improviser]]) {
    brush.fillStyle = fill;
    brush.strokeStyle = line;
    brush.lineWidth = 2;
    notes.forEach((pitch, place) => {
      brush.beginPath();
      brush.roundRect(EDGE + place * column + 1, EDGE + (high - pitch) * row, column - 2, Math.max(4, row - 1), 3);
      brush.fill();
      brush.stroke();
    });
  }
}
