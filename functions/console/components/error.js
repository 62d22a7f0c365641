// What did not work, what to do about it, and by which id the log knows it.
import { html } from "../html.js";
import { useReasons } from "../hooks.js";
import { known, t, translated } from "../i18n.js";

// What the console itself has words for, by code or status.
function words(problem) {
  const key = [`problem.${problem.code}`, `problem.http_${problem.status}`].find(known);
  return key ? t(key) : t("problem.unknown");
}

export function ErrorBox({ problem, retry = null, children = null }) {
  const explain = useReasons();
  if (!problem) return null;
  return html`<div class="box box-bad" role="alert" tabindex="-1">
    ${problem.detail
      ? html`<${Told} code=${problem.code} message=${problem.detail} loud />`
      : html`<${Lines} first=${words(problem)} advice=${explain(problem.code)?.action} loud />`}
    ${problem.errors?.length > 0 &&
    html`<ul>${problem.errors.map((each) => html`<li><code>${each.field}</code> <span lang="en">${each.message}</span></li>`)}</ul>`}
    ${children}
    <p class="row">
      ${retry && html`<button type="button" onClick=${retry}>${t("common.try_again")}</button>`}
      ${problem.requestId &&
      html`<span class="quiet">${t("problem.request_id")} <code>${problem.requestId}</code></span>`}
    </p>
  </div>`;
}

// What will hinder an export, or ended a run: the app's own sentence (`message`), or the console's as what it encloses.
export function Notice({ tone = "warning", message = null, code = null, children = null }) {
  const explain = useReasons();
  return html`<div class=${`box box-${tone}`}>
    ${message
      ? html`<${Told} code=${code} message=${message} />`
      : html`<${Lines} first=${children} advice=${explain(code)?.action} />`}
  </div>`;
}

// What the app says of something. Its own sentence is English, and alone has the names and figures of the case; in another
// language what its code means, and what to do, come before it.
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

function Lines({ first, advice = null, loud = false, lang }) {
  return html`<p lang=${lang}>${loud ? html`<strong>${first}</strong>` : first}</p>
    ${advice && html`<p class=${loud ? "" : "quiet"} lang=${lang}>${advice}</p>`}`;
}
