// How everything goes: what needs somebody first, then every export with its last and its next run.
import { RunStatus } from "../components/badge.js";
import { ContactsChart } from "../components/contacts-chart.js";
import { ErrorBox, Notice } from "../components/error.js";
import { TextField } from "../components/form.js";
import { NextRun } from "../components/next-run.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { Time } from "../components/time.js";
import { isLookedAt, useAll, useResource } from "../hooks.js";
import { html, useEffect, useState } from "../html.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { may } from "../session.js";

const LOOK_SECONDS = 60;
const MANY = 10; // exports: beyond, one looks for them by name

export default function Overview() {
  const { items, problem, loading, reload } = useAll("/api/exports", "exports");
  useEffect(() => {
    const timer = setInterval(() => isLookedAt() && reload(), LOOK_SECONDS * 1000);
    return () => clearInterval(timer);
  }, []);
  const actions = may("put_export") && items?.length > 0
    && html`<a class="button main" href=${href(["exports", "new"])}>${t("overview.new_export")}</a>`;
  return html`<${Page} title=${t("overview.title")} actions=${actions}>
    <${HealthBar} />
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${loading && html`<${Spinner} />`}
    ${items && (items.length ? html`<${Exports} exports=${items} />` : html`<${Empty} />`)}
  <//>`;
}

// Whether the app itself is well; GET /api/health answers 503 where it is not, and says why.
function HealthBar() {
  const { data, problem, reload } = useResource("/api/health", { every: LOOK_SECONDS, once: true });
  if (problem?.problems?.length) {
    return html`<div class="box box-bad" role="alert">
      <p><strong>${t("health.bad")}</strong></p>
      <ul>${problem.problems.map((each) => html`<li>${each}</li>`)}</ul>
      <p><button type="button" onClick=${reload}>${t("health.again")}</button></p>
    </div>`;
  }
  if (problem) return html`<${ErrorBox} problem=${problem} retry=${reload} />`;
  return html`<p class="health">
    ${data && html`<span class="swatch"></span>${t("health.good", { version: data.version })}`}
  </p>`;
}

const TROUBLE = { failed: 1, completed_with_warnings: 0.5 };

// What needs somebody stands first: warnings, then runs that did not end well; what was switched off needs nobody.
const urgency = ({ enabled, warnings, last_run: run }) =>
  enabled ? (warnings.length ? 2 : 0) + (TROUBLE[run?.status] ?? 0) : 0;

function Exports({ exports }) {
  const [wanted, setWanted] = useState("");
  const isWanted = (text) => text.toLowerCase().includes(wanted.toLowerCase());
  const found = exports.filter(({ name, segments }) => [name, ...segments].some(isWanted));
  const rows = found.toSorted((one, other) => urgency(other) - urgency(one) || one.name.localeCompare(other.name));
  const columns = [
    { title: t("overview.export"), cell: (each) => html`<${Name} each=${each} />` },
    { title: t("overview.last_run"), cell: (each) => html`<${LastRun} each=${each} />` },
    { title: t("overview.next_run"), cell: (each) => html`<${NextRun} saved=${each} />` },
    { title: t("overview.contacts"), cell: (each) => html`<${ContactsChart} key=${each.last_run?.finished_at} id=${each.id} />` },
  ];
  return html`${exports.length > MANY && html`<div class="narrow"><${TextField} label=${t("overview.filter")} type="search"
      value=${wanted} onInput=${setWanted} /></div>`}
    <${Table} caption=${t("overview.exports")} columns=${columns} rows=${rows} empty=${t("overview.none_fits")} />`;
}

function Name({ each }) {
  return html`<a href=${href(["exports", each.id])}>${each.name}</a>
    <div class="quiet">${each.segments.join(", ")}</div>
    ${each.warnings.map((warning) => html`<${Notice} message=${warning.message} code=${warning.code} />`)}`;
}

function LastRun({ each }) {
  const run = each.last_run;
  if (!run) return html`<span class="quiet">${t("overview.never_run")}</span>`;
  return html`<a href=${href(["exports", each.id, "runs", run.id])}><${RunStatus} status=${run.status} /></a>
    <div class="quiet"><${Time} at=${run.finished_at ?? run.created_at} ago /></div>`;
}

function Empty() {
  return html`<section class="empty">
    <h2>${t("overview.empty_title")}</h2>
    <p>${t("overview.empty_text")}</p>
    ${may("put_connection") &&
    html`<p><a class="button main" href=${href(["connections", "new"])}>${t("overview.first_connection")}</a></p>`}
    ${!may("put_connection") && may("put_export") &&
    html`<p><a class="button main" href=${href(["exports", "new"])}>${t("overview.new_export")}</a></p>`}
  </section>`;
}
