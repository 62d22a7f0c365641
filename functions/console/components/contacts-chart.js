// Contacts on the list against the rows of the segment, over the last runs of an export that are over.
import { path } from "../api.js";
import { useResource, useSeen } from "../hooks.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Chart } from "./chart.js";

const RUNS = 12;

// Asked for when it is seen: there may be many below one another.
export function ContactsChart({ id }) {
  const [ref, seen] = useSeen();
  const { data } = useResource(seen ? path("exports", id, "runs") : null, { query: { limit: RUNS } });
  const runs = (data?.runs ?? []).filter((run) => run.kind === "send" && run.finished_at).toReversed();
  return html`<div ref=${ref}>${runs.length > 0 && html`<${History} runs=${runs} />`}</div>`;
}

function History({ runs }) {
  const series = [
    { label: t("overview.in_segment"), values: runs.map((run) => run.counts.rows_read), kind: "bars" },
    { label: t("overview.on_list"), values: runs.map((run) => run.list_count_after), kind: "line" },
  ];
  return html`<${Chart} label=${t("overview.chart", { count: runs.length })} series=${series} />`;
}
