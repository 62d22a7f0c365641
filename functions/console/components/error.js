// What did not work, what to do about it, and by which id the log knows it.
import { html } from "../html.js";
import { useReasons } from "../hooks.js";
import { known, t } from "../i18n.js";
import { Lines, Told } from "./told.js";

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
