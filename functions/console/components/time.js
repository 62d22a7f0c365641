// A moment, in the reader's language and time zone; how long ago or ahead where that is what matters.
import { html, useEffect, useState } from "../html.js";
import { dateTime, relative } from "../i18n.js";

const AGAIN = 30_000; // milliseconds

export function Time({ at, ago = false }) {
  const [, again] = useState(0);
  useEffect(() => {
    if (!ago) return undefined;
    const timer = setInterval(() => again((count) => count + 1), AGAIN);
    return () => clearInterval(timer);
  }, [ago]);
  if (!at) return html`<span class="quiet">–</span>`;
  const full = dateTime(at, { dateStyle: "long", timeStyle: "long" });
  return html`<time datetime=${at} title=${full}>${ago ? relative(at) : dateTime(at)}</time>`;
}
