// A plot as SVG: a few lines over numbers, each panel with its own axes.
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [300, 220, 44, 38, 30, 12];

/** Panels side by side: `{title, x, y, points: [[x, y], …]}` each. */
export function plot(panels) {
  const width = WIDTH * panels.length;
  const style = "text{font:11px sans-serif;fill:#333}.title{font-weight:bold}.line{fill:none;stroke:#06c;stroke-width:2}";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}">
<style>${style}.axis{stroke:#bbb}circle{fill:#06c}</style>
<rect width="${width}" height="${HEIGHT}" fill="#fff"/>
${panels.map((panel, at) => `<g transform="translate(${at * WIDTH})">${lines(panel).join("\n")}</g>`).join("\n")}
</svg>
`;
}

function lines({ title, x, y, points }) {
  const most = (axis) => nice(Math.max(...points.map((point) => point[axis])));
  const [mostX, mostY] = [most(0), most(1)];
  const right = (value) => LEFT + (value / mostX) * (WIDTH - LEFT - RIGHT);
  const up = (value) => HEIGHT - BOTTOM - (value / mostY) * (HEIGHT - BOTTOM - TOP);
  const at = points.map(([a, b]) => [right(a).toFixed(1), up(b).toFixed(1)]);
  const text = (a, b, anchor, words, kind = "") => `<text x="${a}" y="${b}" text-anchor="${anchor}"${kind}>${words}</text>`;
  const ticks = (limit) => [0, limit / 4, limit / 2, (limit * 3) / 4, limit];
  return [
    text(LEFT, 16, "start", title, ' class="title"'),
    ...ticks(mostY).flatMap((value) => [
      `<path class="axis" d="M${LEFT} ${up(value)}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 5, up(value) + 4, "end", short(value)),
    ]),
    ...ticks(mostX).map((value) => text(right(value), HEIGHT - BOTTOM + 15, "middle", short(value))),
    text(WIDTH - RIGHT, HEIGHT - 6, "end", `${x}; ${y}`),
    `<path class="line" d="M${at.map((point) => point.join(" ")).join("L")}"/>`,
    ...at.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3"/>`),
  ];
}

/** A round number that is no less, and has round quarters. */
function nice(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((times) => times * unit).find((limit) => limit >= value);
}

const short = (value) => String(Number(value.toPrecision(3)));
