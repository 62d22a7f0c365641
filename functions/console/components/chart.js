// A small picture of a few series over the same steps; a table of the same figures is for those who do not see it.
import { html } from "../html.js";
import { number } from "../i18n.js";

const WIDTH = 220;
const HEIGHT = 48;
const EDGE = 3;

const points = (values, most) =>
  values
    .map((value, at) => [EDGE + (at * (WIDTH - 2 * EDGE)) / Math.max(values.length - 1, 1), value])
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([x, value]) => [x, HEIGHT - EDGE - (value * (HEIGHT - 2 * EDGE)) / most]);

// Series are {label, values, kind}: the first kind is drawn as a line, "bars" as bars behind it. `label` names all.
export function Chart({ label, series }) {
  const most = Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const last = (values) => values.findLast((value) => value !== null && value !== undefined);
  const told = series.map((each) => `${each.label}: ${last(each.values) === undefined ? "–" : number(last(each.values))}`);
  return html`<figure class="chart">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${label}. ${told.join("; ")}`}>
      ${series.map(({ values, kind }) => {
        const found = points(values, most);
        if (kind === "bars") {
          const width = Math.max(2, (WIDTH - 2 * EDGE) / values.length - 3);
          return found.map(
            ([x, y]) => html`<rect class="chart-bar" x=${x - width / 2} y=${y} width=${width} height=${HEIGHT - y} />`,
          );
        }
        return html`<polyline class="chart-line" points=${found.map((each) => each.join(",")).join(" ")} />
          ${found.map(([x, y]) => html`<circle class="chart-dot" cx=${x} cy=${y} r="2" />`)}`;
      })}
    </svg>
    <figcaption>
      ${series.map(
        (each, at) => html`<span class="chart-key"><span class=${`swatch swatch-${each.kind ?? "line"}`}></span>${told[at]}</span>`,
      )}
    </figcaption>
  </figure>`;
}
