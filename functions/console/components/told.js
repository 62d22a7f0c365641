// What the app says of something. Its own sentence is English, and alone has the names and figures of the case; in another
// language what its code means, and what to do, come before it.
import { html } from "../html.js";
import { useReasons } from "../hooks.js";
import { translated } from "../i18n.js";

// `next` is the app's advice, where it has one for this case; `loud` for what a view is about.
export function Told({ message, code = null, next = null, loud = false }) {
  const advice = useReasons()(code)?.action;
  const own = translated(code);
  if (own) {
    return html`<${Lines} first=${own.meaning} advice=${own.action} loud=${loud} />
      <p class="quiet" lang="en">${message}</p>`;
  }
  return html`<${Lines} first=${message} advice=${next ?? advice} loud=${loud} lang="en" />`;
}

export function Lines({ first, advice = null, loud = false, lang }) {
  return html`<p lang=${lang}>${loud ? html`<strong>${first}</strong>` : first}</p>
    ${advice && html`<p class=${loud ? "" : "quiet"} lang=${lang}>${advice}</p>`}`;
}
