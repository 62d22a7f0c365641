// One connection: how it is, whether it works, what it leads to; and the form that makes or changes it.
import { path, remove } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { Confirm } from "../components/dialog.js";
import { arrive, Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Check } from "../connection/check.js";
import { Facts } from "../connection/facts.js";
import { Found } from "../connection/found.js";
import { ConnectionForm } from "../connection/form.js";
import { Key } from "../connection/key.js";
import { Uses } from "../connection/uses.js";
import { useAction, useAll, useResource } from "../hooks.js";
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { go, href } from "../router.js";
import { may } from "../session.js";

const crumbs = () => [[t("connections.title"), href(["connections"])]];

export default function Connection({ id, query }) {
  return id ? html`<${Existing} id=${id} query=${query} />` : html`<${New} />`;
}

function New() {
  const made = (id) => go(["connections", id], { check: "now" });
  return html`<${Page} title=${t("connection.new")} crumbs=${crumbs()}>
    <p class="lead">${t("connection.new_text")}</p>
    <${ConnectionForm} onSaved=${made} />
  <//>`;
}

function Existing({ id, query }) {
  const found = useResource(path("connections", id));
  const [keys, setKeys] = useState(0);
  const exports = useAll(may("list_exports") ? "/api/exports" : null, "exports");
  const uses = exports.items?.filter((each) => each.connection === id);
  const connection = found.data;
  const isEdited = may("put_connection") && query.edit !== undefined;
  const actions = connection && !isEdited && html`<${Actions} connection=${connection} etag=${found.etag} uses=${uses} />`;
  return html`<${Page} key=${isEdited} title=${connection?.display_name ?? t("connection.title")} crumbs=${crumbs()} actions=${actions}>
    <${ErrorBox} problem=${found.problem} retry=${found.reload} />
    ${!connection && found.loading && html`<${Spinner} />`}
    ${connection && isEdited && html`<${Edited} connection=${connection} etag=${found.etag} reload=${found.reload} />`}
    ${connection && !isEdited && html`
      <${Facts} connection=${connection} />
      ${may("put_connection_key") && html`<${Key} connection=${connection} onStored=${() => setKeys(keys + 1)} />`}
      ${may("check_connection") && html`<${Check} key=${keys} id=${id} now=${query.check === "now" || keys > 0} />`}
      <${Uses} exports=${uses} problem=${exports.problem} reload=${exports.reload} />
      ${may("list_lists") && html`<${Found} id=${id} />`}`}
  <//>`;
}

function Edited({ connection, etag, reload }) {
  const back = () => {
    arrive();
    go(["connections", connection.id]);
  };
  const saved = async () => {
    await reload();
    back();
  };
  return html`<${ConnectionForm} saved=${connection} etag=${etag} onSaved=${saved} onCancel=${back} />`;
}

function Actions({ connection, etag, uses }) {
  return html`${may("put_connection") &&
    html`<a class="button" href=${href(["connections", connection.id], { edit: "all" })} onClick=${arrive}
      >${t("connection.edit")}</a>`}
  ${may("delete_connection") && uses && html`<${Delete} connection=${connection} etag=${etag} uses=${uses} />`}`;
}

// While exports go through it a connection stays: they are named, and detached or led elsewhere below.
function Delete({ connection, etag, uses }) {
  const [open, setOpen] = useState(false);
  const { act, busy, problem, clear } = useAction(async () => {
    await remove(path("connections", connection.id), { etag });
    go(["connections"]);
  });
  const close = () => {
    clear();
    setOpen(false);
  };
  const isFree = uses.length === 0;
  return html`<button type="button" class="danger" onClick=${() => setOpen(true)}>${t("connection.delete")}</button>
    <${Confirm} open=${open} title=${t("connection.delete_title", { name: connection.display_name })} danger
      action=${isFree && t("connection.delete_yes")} busy=${busy} problem=${problem} onYes=${act} onClose=${close}>
      <p>${isFree ? t("connection.delete_text") : t("connection.delete_hindered", { count: uses.length })}</p>
      ${!isFree && html`<ul>${uses.map((each) => html`<li><a href=${href(["exports", each.id])}>${each.name}</a></li>`)}</ul>`}
    <//>`;
}
