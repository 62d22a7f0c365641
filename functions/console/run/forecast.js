// What a dry run has found: how a run would change the list now.
import { Table } from "../components/table.js";
import { html } from "../html.js";
import { duration, number, t } from "../i18n.js";

const FIGURES = ["new", "changed", "unchanged", "rejected", "duplicate", "leaving", "removed", "requests"];

export function Forecast({ run }) {
  const { forecast, examples } = run;
  if (!forecast) return null;
  return html`<section>
    <h2>${t("forecast.title")}</h2>
    ${forecast.sends_all && html`<p>${t("forecast.sends_all")}</p>`}
    <dl class="facts">
      ${FIGURES.map((name) => html`<dt>${t(`forecast.${name}`)}</dt><dd>${number(forecast[name])}</dd>`)}
      <dt>${t("forecast.time")}</dt><dd>${duration(forecast.seconds)}</dd>
      <${Account} forecast=${forecast} />
    </dl>
    ${examples && html`<${Examples} examples=${examples} />`}
  </section>`;
}

function Account({ forecast }) {
  const { account_contacts: now, account_contacts_after: after, contact_limit: limit } = forecast;
  if (now === null) return null;
  return html`<dt>${t("forecast.account")}</dt>
    <dd>${after === null ? number(now) : t("forecast.account_after", { now, after })}
      ${limit !== null && html` <span class="quiet">${t("forecast.limit", { limit })}</span>`}</dd>`;
}

function Examples({ examples }) {
  const people = (name) =>
    examples[name].length > 0 &&
    html`<h3>${t(`forecast.${name}`)}</h3>
      <${Table} caption=${t(`forecast.${name}`)} columns=${columns(examples[name])} rows=${examples[name]}
        rowKey=${(contact) => JSON.stringify(contact)} />`;
  return html`<p class="quiet">${t("forecast.examples")}</p>
    ${people("new")} ${people("changed")}
    ${examples.leaving.length > 0 &&
    html`<h3>${t("forecast.leaving")}</h3>
      <ul>${examples.leaving.map((each) => html`<li><code>${each}</code></li>`)}</ul>`}`;
}

// Fields are SendGrid's own names, as the API has them.
function columns(contacts) {
  const names = [...new Set(contacts.flatMap(Object.keys))];
  const told = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? ""));
  return names.map((name) => ({ title: name, cell: (contact) => told(contact[name]) }));
}
