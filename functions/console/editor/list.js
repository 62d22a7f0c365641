// The list at SendGrid: picked by its name, or told by its id.
import { path } from "../api.js";
import { ErrorBox, Notice } from "../components/error.js";
import { SelectField, TextField } from "../components/form.js";
import { Spinner } from "../components/spinner.js";
import { useResource } from "../hooks.js";
import { html, useState } from "../html.js";
import { list, t } from "../i18n.js";

const MANY = 10;
const MOST = 200; // choices at a time: an account may have ten thousand lists, too many to be drawn with every key pressed

// `others` are the exports that bring people onto the same list.
export function ListChoice({ connection, value, others, onInput, problem }) {
  const lists = useResource(connection ? path("connections", connection, "lists") : null);
  const [isTyped, setTyped] = useState(false);
  const [wanted, setWanted] = useState("");
  const found = lists.data?.lists ?? [];
  const fitting = found.filter((each) => each.id !== value && each.name.toLowerCase().includes(wanted.toLowerCase()));
  const shown = [...found.filter((each) => each.id === value), ...fitting.slice(0, MOST)];
  const isUnknown = lists.data && value && !found.some((each) => each.id === value);
  const options = [
    ["", t("list.choose")],
    ...(isUnknown ? [[value, value]] : []),
    ...shown.map((each) => [each.id, named(each)]),
  ];
  const field = { value, onInput, problem, pointer: "/list_id" };
  return html`<div>
      ${!connection && html`<p class="quiet">${t("list.no_connection")}</p>`}
      ${lists.loading && html`<${Spinner} />`}
      <${ErrorBox} problem=${lists.problem} retry=${lists.reload} />
      ${isTyped || !lists.data ? connection && html`<${TextField} label=${t("list.id")} hint=${t("list.id_hint")} spellcheck=${false}
        autocomplete="off" ...${field} />` : html`
        ${found.length > MANY && html`<${TextField} label=${t("export_editor.filter")} type="search" value=${wanted}
          onInput=${setWanted} />`}
        <${SelectField} label=${t("list.name")} options=${options} ...${field}
          hint=${fitting.length > MOST ? t("list.first", { shown: MOST, count: fitting.length }) : null}
          error=${problem?.fault?.("/list_id") ?? (isUnknown ? t("list.unknown") : null)} />`}
      ${lists.data && html`<button type="button" class="link" onClick=${() => setTyped(!isTyped)}>
        ${isTyped ? t("list.pick") : t("list.type")}</button>`}
      ${others.length > 0 && html`<${Notice} tone="busy">${t("list.shared", { exports: list(others) })}<//>`}
  </div>`;
}

function named({ name, contact_count: count }) {
  return count === null ? name : t("list.option", { name, contacts: t("list.contacts", { count }) });
}
