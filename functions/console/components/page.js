// What every view stands in: its heading, which takes the focus when one comes here, and the title of the window.
import { html, useEffect, useRef } from "../html.js";
import { t } from "../i18n.js";
import { session } from "../session.js";

let arrived = false;

// Called by the router: the next heading that is shown takes the focus. The first view of all leaves it alone.
export function arrive() {
  arrived = true;
}

export function Page({ title, crumbs = [], actions = null, children }) {
  const heading = useRef(null);
  const { isLost } = session();
  const isSeen = () => heading.current.getClientRects().length > 0; // not while somebody signs in anew
  useEffect(() => {
    if (isSeen()) document.title = t("common.title", { view: title });
  }, [title, isLost]);
  useEffect(() => {
    if (!arrived || !isSeen()) return;
    arrived = false;
    heading.current.focus();
    scrollTo(0, 0);
  }, [isLost]);
  return html`<${Crumbs} crumbs=${crumbs} />
    <div class="page-head">
      <h1 tabindex="-1" ref=${heading}>${title}</h1>
      ${actions && html`<div class="row">${actions}</div>`}
    </div>
    ${children}`;
}

// Where one is: [[text, href], …] of the views above this one.
function Crumbs({ crumbs }) {
  if (!crumbs.length) return null;
  return html`<nav class="crumbs" aria-label=${t("nav.crumbs")}>
    <ol>${crumbs.map(([text, href]) => html`<li><a href=${href}>${text}</a></li>`)}</ol>
  </nav>`;
}
