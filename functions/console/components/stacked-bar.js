// One bar, divided in proportion, with a legend; what is none of it is left out.
import { html } from "../html.js";

const WIDTH = 800;
const HEIGHT = 20;
const LEAST = 2; // so that the few are seen beside the many

// Parts are {key, label, value, text}: `key` gives the colour, `text` is how the value is told. `children` stand in place of
// the legend.
export function StackedBar({ label, parts, children = null }) {
  const shown = parts.filter(({ value }) => value > 0);
  if (!shown.length) return null;
  const total = shown.reduce((sum, { value }) => sum + value, 0);
  let x = 0;
  const drawn = shown.map((part) => {
    const width = Math.max(LEAST, (WIDTH * part.value) / total);
    x += width;
    return { ...part, x: x - width, width };
  });
  return html`<figure class="stacked">
    <svg viewBox=${`0 0 ${x} ${HEIGHT}`} preserveAspectRatio="none" role="img"
      aria-label=${`${label}. ${shown.map((each) => `${each.label}: ${each.text}`).join("; ")}`}>
      ${drawn.map(
        (each) => html`<rect class=${`part part-${each.key}`} x=${each.x} width=${each.width} height=${HEIGHT} />`,
      )}
    </svg>
    <figcaption>
      ${children ??
      shown.map(
        (each) => html`<span class="chart-key"><span class=${`swatch part-${each.key}`}></span>${each.label} ${each.text}</span>`,
      )}
    </figcaption>
  </figure>`;
}
