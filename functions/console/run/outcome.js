// What became of every row that was read: the outcomes add up to it.
import { StackedBar } from "../components/stacked-bar.js";
import { Table } from "../components/table.js";
import { useReasons } from "../hooks.js";
import { html } from "../html.js";
import { number, percent, t } from "../i18n.js";

const OUTCOMES = ["sent", "pending", "unchanged", "duplicate", "rejected", "not_sent"];
const ALWAYS = new Set(["sent", "duplicate", "rejected", "not_sent"]);

export function Outcome({ counts }) {
  const explain = useReasons();
  if (!counts.rows_read) return null;
  const parts = OUTCOMES.map((name) => ({
    key: name,
    label: t(`outcome.${name}`),
    value: counts[name],
    text: number(counts[name]),
  }));
  return html`<section>
    <h2>${t("run.rows_read", { count: counts.rows_read })}</h2>
    <${StackedBar} label=${t("run.outcome")} parts=${parts} />
    <${Table} caption=${t("run.outcome")} columns=${columns(counts.rows_read)} rows=${lines(counts, explain)} />
  </section>`;
}

function lines(counts, explain) {
  const found = [];
  for (const name of OUTCOMES) {
    if (counts[name] || ALWAYS.has(name)) {
      found.push({ id: name, label: t(`outcome.${name}`), value: counts[name], told: t(`outcome_meaning.${name}`) });
    }
    if (name === "rejected") found.push(...rejections(counts, explain));
  }
  for (const [field, value] of Object.entries(counts.cut)) {
    found.push({ id: `cut ${field}`, part: true, label: t("run.cut", { field }), value, told: t("run.cut_meaning") });
  }
  for (const [field, value] of Object.entries(counts.unusable)) {
    const label = t("run.unusable", { field });
    found.push({ id: `unusable ${field}`, part: true, label, value, told: t("run.unusable_meaning") });
  }
  return found;
}

function rejections(counts, explain) {
  const most = Object.entries(counts.rejected_by_reason).sort(([, one], [, other]) => other - one);
  return most.map(([code, value]) => {
    const { meaning = "", action = "" } = explain(code) ?? {};
    return { id: `rejected ${code}`, part: true, label: html`<code>${code}</code>`, value, told: `${meaning} ${action}` };
  });
}

const columns = (rows) => [
  {
    title: t("run.outcome"),
    cell: (line) => html`<span class=${line.part ? "part-of" : ""}>${line.label}</span>`,
  },
  { title: t("run.rows"), numeric: true, cell: (line) => number(line.value) },
  { title: t("run.share"), numeric: true, cell: (line) => html`<span class="quiet">${percent(line.value / rows)}</span>` },
  { title: t("run.meaning"), cell: (line) => html`<span class="quiet">${line.told}</span>` },
];
