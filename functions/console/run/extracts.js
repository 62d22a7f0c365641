// Which deliveries of the segments a run has read, and what it has passed over.
import { Notice } from "../components/error.js";
import { Time } from "../components/time.js";
import { html } from "../html.js";
import { bytes, number, t } from "../i18n.js";

export function Extracts({ run }) {
  if (!run.extracts.length) return null;
  return html`<section>
    <h2>${t("extracts.title")}</h2>
    ${run.extracts.map((extract) => html`<${Extract} key=${extract.segment} extract=${extract} />`)}
  </section>`;
}

function Extract({ extract }) {
  const more = extract.files - extract.file_names.length;
  return html`<details class="fold">
    <summary>${extract.segment} <span class="quiet"><${Time} at=${extract.delivered_at} ago /></span></summary>
    ${extract.incomplete && html`<${Notice} message=${extract.incomplete} />`}
    <dl class="facts">
      <dt>${t("extracts.version")}</dt><dd><code>${extract.version}</code></dd>
      <dt>${t("extracts.delivered")}</dt><dd><${Time} at=${extract.delivered_at} /></dd>
      <dt>${t("extracts.files")}</dt><dd>${number(extract.files)}</dd>
      <dt>${t("extracts.size")}</dt><dd>${bytes(extract.bytes)}</dd>
    </dl>
    <ul>
      ${extract.file_names.map((name) => html`<li><code>${name}</code></li>`)}
      ${more > 0 && html`<li>${t("extracts.more", { count: more })}</li>`}
    </ul>
    ${extract.passed_over.length > 0 && html`<${PassedOver} extract=${extract} />`}
  </details>`;
}

function PassedOver({ extract }) {
  return html`<h3>${t("extracts.passed_over")}</h3>
    <ul>
      ${extract.passed_over.map((each) => html`<li><code>${each.name}</code> <span class="quiet" lang="en">${each.why}</span></li>`)}
      ${extract.passed_over_more > 0 && html`<li>${t("extracts.more", { count: extract.passed_over_more })}</li>`}
    </ul>`;
}
