// Who did what, newest first, by pages; the address keeps what is filtered by.
import { get } from "../api.js";
import { Badge } from "../components/badge.js";
import { ErrorBox } from "../components/error.js";
import { Form, SelectField, TextField } from "../components/form.js";
import { announce } from "../components/live.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { Time } from "../components/time.js";
import { useAction } from "../hooks.js";
import { html, useEffect, useState } from "../html.js";
import { known, t } from "../i18n.js";
import { go, href } from "../router.js";

const PAGE = 50;
const TEXTS = ["caller", "operation", "connection", "export", "run"];
const RESULTS = ["Running", "Success", "ClientError", "Failure", "Successful", "Skipped"];
const TONES = { Running: "busy", Success: "good", Successful: "good", ClientError: "warning", Failure: "bad" };

export default function Audit({ query }) {
  return html`<${Page} title=${t("audit.title")}><${Filtered} key=${JSON.stringify(query)} query=${query} /><//>`;
}

function Filtered({ query }) {
  const [entries, setEntries] = useState([]);
  const [cursor, setCursor] = useState(null);
  const { act, busy, problem } = useAction(async (_key, after) => {
    const { data } = await get("/api/audit", { query: { ...asked(query), limit: PAGE, cursor: after } });
    const found = after ? [...entries, ...data.entries] : data.entries;
    setEntries(found);
    setCursor(data.cursor ?? null);
    announce(t("audit.shown", { count: found.length }));
  });
  useEffect(() => {
    act();
  }, []);
  return html`<${Filters} query=${query} problem=${problem} busy=${busy} />
    <${ErrorBox} problem=${problem} retry=${() => act()} />
    <${Table} caption=${t("audit.entries")} columns=${columns()} rows=${entries} rowKey=${keyOf}
      empty=${busy || problem ? null : t("audit.none")} />
    ${busy && html`<${Spinner} />`}
    ${cursor && !busy && html`<p><button type="button" onClick=${() => act(cursor)}>${t("audit.more")}</button></p>`}`;
}

// What a filter means for the API: days are the reader's own, and the last one counts whole.
function asked({ since, until, ...rest }) {
  const midnight = (day, later = 0) => {
    const at = new Date(`${day}T00:00`);
    at.setDate(at.getDate() + later);
    return at.toISOString();
  };
  return { ...rest, since: since && midnight(since), until: until && midnight(until, 1) };
}

function Filters({ query, problem, busy }) {
  const [values, setValues] = useState(query);
  const set = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
  const text = (name, type) => html`<${TextField} label=${t(`audit.${name}`)} value=${values[name] ?? ""} type=${type}
    onInput=${set(name)} problem=${problem} pointer=${name} spellcheck=${false} autocomplete="off" />`;
  const results = RESULTS.map((each) => [each, t(`audit.result.${each}`)]);
  const denials = [["true", t("audit.denied_only")], ["false", t("audit.denied_none")]];
  const choice = (name, options) => html`<${SelectField} label=${t(`audit.${name}`)} value=${values[name] ?? ""}
    onInput=${set(name)} options=${[["", t("audit.any")], ...options]} />`;
  return html`<${Form} class="form filters" role="search" aria-label=${t("audit.filters")} busy=${busy}
    onSubmit=${() => go(["audit"], values)} submit=${t("audit.apply")} problem=${problem}>
    ${text("since", "date")} ${text("until", "date")} ${TEXTS.map((name) => text(name, "text"))}
    ${choice("result", results)} ${choice("denied", denials)}
  <//>`;
}

const keyOf = (entry) => `${entry.time}${entry.correlationId}${entry.operationName}${entry.resultType}`;

const columns = () => [
  { title: t("audit.time"), cell: (each) => html`<${Time} at=${each.time} />` },
  { title: t("audit.operation"), cell: (each) => html`<code>${each.operationName}</code>` },
  { title: t("audit.caller"), cell: (each) => html`<${Caller} entry=${each} />` },
  { title: t("audit.target"), cell: (each) => html`<${Target} entry=${each} />` },
  { title: t("audit.changed"), cell: (each) => html`<${Changed} entry=${each} />` },
  { title: t("audit.result"), cell: (each) => html`<${Result} entry=${each} />` },
];

// Entries of runs name what they are about otherwise than those of requests do.
function about({ properties: each }) {
  if (each.eventType === "ApiEvent") return { ...each, caller: each.callerObjectId };
  return { connection: each.connection, export: each.identifier, run: each.workflowJobId, caller: each.submittedBy };
}

function Caller({ entry }) {
  const id = about(entry).caller;
  if (!id) return html`<span class="quiet">${t("audit.the_app")}</span>`;
  return html`<a href=${href(["audit"], { caller: id })}>${id}</a>`;
}

function Target({ entry }) {
  const { connection, export: id, run } = about(entry);
  if (run && id) return html`<a href=${href(["exports", id, "runs", run])}>${id} ${run}</a>`;
  if (id) return html`<a href=${href(["exports", id])}>${id}</a>`;
  return connection ? html`<a href=${href(["connections", connection])}>${connection}</a>` : "";
}

function Changed({ entry }) {
  const { fieldsBefore = [], fieldsAfter = [] } = about(entry);
  const fields = [...new Set([...fieldsBefore, ...fieldsAfter])].sort();
  return html`<span class="quiet">${fields.join(", ")}</span>`;
}

function Result({ entry: { resultType, properties } }) {
  if (properties.denied) return html`<${Badge} tone="bad">${t("audit.was_denied")}<//>`;
  const key = `audit.result.${resultType}`;
  return html`<${Badge} tone=${TONES[resultType]}>${known(key) ? t(key) : resultType}<//>`;
}
