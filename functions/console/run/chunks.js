// Every chunk with its tries and jobs, for whoever wants to know exactly.
import { Badge } from "../components/badge.js";
import { Table } from "../components/table.js";
import { html, useState } from "../html.js";
import { duration, known, number, t } from "../i18n.js";

const SHOWN = 50;
const TONES = { completed: "good", errored: "warning", failed: "bad", unconfirmed: "warning" };

export function Chunks({ run }) {
  const [all, setAll] = useState(false);
  const chunks = run.deliveries;
  if (!chunks.length) return null;
  const shown = all ? chunks : chunks.slice(0, SHOWN);
  return html`<details class="fold">
    <summary>${t("chunks.title", { count: chunks.length })}</summary>
    <${Table} caption=${t("chunks.caption")} columns=${columns()} rows=${shown} rowKey=${(chunk) => chunk.number} />
    ${shown.length < chunks.length &&
    html`<p><button type="button" onClick=${() => setAll(true)}>${t("chunks.all", { count: chunks.length })}</button></p>`}
  </details>`;
}

function Status({ chunk }) {
  const key = `chunk_status.${chunk.status}`;
  return html`<${Badge} tone=${TONES[chunk.status]}>${known(key) ? t(key) : chunk.status}<//>
    ${chunk.reason && html`<div class="quiet" lang="en">${chunk.reason}</div>`}`;
}

const columns = () => [
  { title: t("chunks.number"), numeric: true, cell: (chunk) => number(chunk.number) },
  { title: t("chunks.what"), cell: (chunk) => (chunk.removal ? t("chunks.removal") : t("chunks.upsert")) },
  { title: t("chunks.contacts"), numeric: true, cell: (chunk) => number(chunk.contacts) },
  { title: t("chunks.status"), cell: (chunk) => html`<${Status} chunk=${chunk} />` },
  { title: t("chunks.requests"), numeric: true, cell: (chunk) => number(chunk.requests) },
  { title: t("chunks.waits"), numeric: true, cell: (chunk) => (chunk.waits ? duration(chunk.waited_s) : "–") },
  { title: t("chunks.resends"), numeric: true, cell: (chunk) => number(chunk.resends + chunk.repeats) },
  { title: t("chunks.jobs"), cell: (chunk) => chunk.jobs.map((job) => html`<div><code>${job}</code></div>`) },
];
