// The rows that were not sent: as a file, and a part of the list at a time.
import { get, keep, path } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { announce } from "../components/live.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { number, t } from "../i18n.js";
import { may } from "../session.js";

const CSV = "text/csv";
const NEXT = /<([^>]*)>; rel="next"/;

// All parts of a list in one file: only the first one names the columns.
async function wholeList(address) {
  const parts = [];
  let following = address;
  while (following) {
    const { data, headers } = await get(following, { accept: CSV, as: "blob" });
    parts.push(data);
    following = NEXT.exec(headers.get("Link") ?? "")?.[1];
  }
  return new Blob(parts, { type: CSV });
}

// A button that brings a whole list, `rejected` or `others`, as a file.
export function ListDownload({ run, what, children }) {
  const { act, busy, problem } = useAction(async () => {
    const list = await wholeList(path("exports", run.export, "runs", run.id, what));
    keep(list, `${run.export}-${run.id}-${what}.csv`);
  });
  return html`<button type="button" disabled=${busy} onClick=${() => act()}>${children}</button>
    <${ErrorBox} problem=${problem} />`;
}

export function Rejected({ run }) {
  if (!run.counts.rejected || !may("get_rejected")) return null;
  return html`<section>
    <h2>${t("rejected.title")}</h2>
    ${run.counts.rejected_not_listed > 0 &&
    html`<p>${t("rejected.not_listed", { count: run.counts.rejected_not_listed })}</p>`}
    <${ListDownload} run=${run} what="rejected">${t("rejected.download")}<//>
    <${Rows} run=${run} />
  </section>`;
}

function Rows({ run }) {
  const [page, setPage] = useState(null);
  const { act, busy, problem } = useAction(async () => {
    const { data } = await get(page?.next ?? path("exports", run.export, "runs", run.id, "rejected"));
    const rows = [...(page?.rows ?? []), ...data.rows];
    setPage({ rows, next: data.next });
    announce(t("rejected.shown", { count: rows.length }));
  });
  return html`<${ErrorBox} problem=${problem} retry=${() => act()} />
    ${page && html`<${Table} caption=${t("rejected.title")} columns=${columns()} rows=${page.rows} rowKey=${keyOf} />`}
    ${busy && html`<${Spinner} />`}
    ${(!page || page.next) && !busy &&
    html`<p><button type="button" onClick=${() => act()}>${page ? t("rejected.more") : t("rejected.look")}</button></p>`}`;
}

const keyOf = (row) => `${row.file} ${row.row} ${row.column} ${row.reason}`;

const columns = () => [
  { title: t("rejected.reason"), cell: (row) => html`<code>${row.reason}</code>` },
  { title: t("rejected.row"), numeric: true, cell: (row) => (row.row === null ? "–" : number(row.row)) },
  { title: t("rejected.column"), cell: (row) => row.column ?? "–" },
  { title: t("rejected.customer"), cell: (row) => html`<code>${row.customer_id ?? "–"}</code>` },
  { title: t("rejected.segment"), cell: (row) => row.segment ?? "–" },
  { title: t("rejected.file"), cell: (row) => html`<span class="quiet">${row.file ?? "–"}</span>` },
];
