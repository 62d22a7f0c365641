// The lists and fields of the account behind a connection, asked for when somebody wants to see them.
import { path } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { useResource } from "../hooks.js";
import { html, useState } from "../html.js";
import { known, number, t } from "../i18n.js";

export function Found({ id }) {
  const [isWanted, setWanted] = useState(false);
  return html`<section>
    <h2>${t("found.title")}</h2>
    ${isWanted ? html`<${Asked} id=${id} />` : html`<p class="quiet">${t("found.text")}</p>
      <p><button type="button" onClick=${() => setWanted(true)}>${t("found.act")}</button></p>`}
  </section>`;
}

function Asked({ id }) {
  const lists = useResource(path("connections", id, "lists"));
  const fields = useResource(path("connections", id, "fields"));
  const reload = () => {
    lists.reload();
    fields.reload();
  };
  if (lists.loading || fields.loading) return html`<${Spinner} />`;
  return html`<${ErrorBox} problem=${lists.problem ?? fields.problem} retry=${reload} />
    ${lists.data && html`<h3>${t("found.lists")}</h3>
      <${Table} caption=${t("found.lists")} columns=${listColumns()} rows=${lists.data.lists} empty=${t("found.no_lists")} />`}
    ${fields.data && html`<h3>${t("found.fields")}</h3>
      <${Table} caption=${t("found.fields")} columns=${fieldColumns()} rows=${fields.data.custom} empty=${t("found.no_fields")} />`}`;
}

const listColumns = () => [
  { title: t("found.name"), cell: (each) => each.name },
  { title: t("found.contacts"), numeric: true, cell: (each) => count(each.contact_count) },
  { title: t("found.id"), cell: (each) => html`<code>${each.id}</code>` },
];

const count = (contacts) => (contacts === null ? "–" : number(contacts));

const fieldColumns = () => [
  { title: t("found.name"), cell: (each) => each.name },
  { title: t("found.type"), cell: (each) => typeName(each.type) },
];

// Of a field at SendGrid, in words.
export function typeName(type) {
  const key = `field_type.${type}`;
  return known(key) ? t(key) : (type ?? "");
}
