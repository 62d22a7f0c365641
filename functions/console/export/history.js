// The runs of an export, newest first, by pages.
import { get } from "../api.js";
import { RunStatus } from "../components/badge.js";
import { ErrorBox } from "../components/error.js";
import { SelectField } from "../components/form.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { Time } from "../components/time.js";
import { useAction } from "../hooks.js";
import { html, useEffect, useState } from "../html.js";
import { duration, number, t } from "../i18n.js";
import { href } from "../router.js";

const PAGE = 20;
const STATUSES = ["succeeded", "completed_with_warnings", "failed", "skipped", "cancelled"];
const TRIGGERS = ["scheduled", "arrival", "on_demand"];
const KINDS = ["send", "dry_run", "adoption"];

// `last` names how the last run is: when that changes the runs are read anew.
export function History({ id, last = null }) {
  const [filters, setFilters] = useState({});
  const set = (name) => (value) => setFilters((before) => ({ ...before, [name]: value }));
  const choice = (name, label, options) => html`<${SelectField} label=${label} value=${filters[name] ?? ""}
    onInput=${set(name)} options=${[["", t("history.all")], ...options]} />`;
  return html`<section>
    <h2>${t("history.title")}</h2>
    <div class="filters" role="search" aria-label=${t("history.filters")}>
      ${choice("status", t("run.status"), STATUSES.map((each) => [each, t(`run_status.${each}`)]))}
      ${choice("trigger", t("history.trigger"), TRIGGERS.map((each) => [each, t(`run_trigger.${each}`)]))}
      ${choice("kind", t("run.kind"), KINDS.map((each) => [each, t(`run_kind.${each}`)]))}
    </div>
    <${Runs} key=${JSON.stringify([last, filters])} query=${{ export: id, limit: PAGE, ...filters }} />
  </section>`;
}

function Runs({ query }) {
  const [page, setPage] = useState(null);
  const { act, busy, problem } = useAction(async () => {
    const { data } = page?.next ? await get(page.next) : await get("/api/runs", { query });
    setPage({ runs: [...(page?.runs ?? []), ...data.runs], next: data.next });
  });
  useEffect(() => {
    act();
  }, []);
  return html`<${ErrorBox} problem=${problem} retry=${() => act()} />
    ${page && html`<${Table} caption=${t("history.title")} columns=${columns()} rows=${page.runs}
      empty=${page.next ? null : t("history.none")} />`}
    ${busy && html`<${Spinner} />`}
    ${page?.next && !busy && html`<p><button type="button" onClick=${() => act()}>${t("history.more")}</button></p>`}`;
}

const columns = () => [
  {
    title: t("run.began"),
    cell: (run) => html`<a href=${href(["exports", run.export, "runs", run.id])}><${Time} at=${run.created_at} /></a>`,
  },
  { title: t("run.status"), cell: (run) => html`<${RunStatus} status=${run.status} />` },
  {
    title: t("run.kind"),
    cell: (run) => html`${t(`run_kind.${run.kind}`)} <div class="quiet">${t(`run_trigger.${run.trigger}`)}</div>`,
  },
  { title: t("run.took"), numeric: true, cell: (run) => (run.duration_s === null ? "–" : duration(run.duration_s)) },
  { title: t("run.rows"), numeric: true, cell: (run) => number(run.counts.rows_read) },
  { title: t("outcome.sent"), numeric: true, cell: (run) => number(run.counts.sent) },
  { title: t("outcome.rejected"), numeric: true, cell: (run) => number(run.counts.rejected) },
  { title: t("members.removed"), numeric: true, cell: (run) => number(run.counts.removed) },
  {
    title: t("overview.on_list"),
    numeric: true,
    cell: (run) => (run.list_count_after === null ? "–" : number(run.list_count_after)),
  },
];
