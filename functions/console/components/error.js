// What did not work, what to do about it, and by which id the log knows it.
import { html } from "../html.js";
import { useReasons } from "../hooks.js";
import { known, t } from "../i18n.js";

// What the console itself has words for, by code or status; everything else is the app's own text.
function words(problem) {
  const key = [`problem.${problem.code}`, `problem.http_${problem.status}`].find(known);
  return problem.detail || (key ? t(key) : t("problem.unknown"));
}

export function ErrorBox({ problem, retry = null, children = null }) {
  const reasons = useReasons();
  if (!problem) return null;
  const advice = reasons.get(problem.code)?.action;
  return html`<div class="box box-bad" role="alert" tabindex="-1">
    <p><strong>${words(problem)}</strong></p>
    ${advice && html`<p>${advice}</p>`}
    ${problem.errors?.length > 0 &&
    html`<ul>${problem.errors.map((each) => html`<li><code>${each.field}</code> ${each.message}</li>`)}</ul>`}
    ${children}
    <p class="row">
      ${retry && html`<button type="button" onClick=${retry}>${t("common.try_again")}</button>`}
      ${problem.requestId &&
      html`<span class="quiet">${t("problem.request_id")} <code>${problem.requestId}</code></span>`}
    </p>
  </div>`;
}

// What will hinder an export, or ended a run: {code, message}.
export function Notice({ tone = "warning", message, code = null }) {
  const reasons = useReasons();
  const advice = code && reasons.get(code)?.action;
  return html`<div class=${`box box-${tone}`}>
    <p>${message}</p>
    ${advice && html`<p class="quiet">${advice}</p>`}
  </div>`;
}
