// The exports that go through a connection; an administrator takes one off it without deleting it.
import { patch, path } from "../api.js";
import { Confirm } from "../components/dialog.js";
import { ErrorBox } from "../components/error.js";
import { announce } from "../components/live.js";
import { Table } from "../components/table.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { may, session } from "../session.js";

const isAdministrator = () => session().me.roles.includes("Administrator");

export function Uses({ exports, problem, reload }) {
  const columns = [
    { title: t("overview.export"), cell: (each) => html`<a href=${href(["exports", each.id])}>${each.name}</a>` },
    { title: t("connection.segments"), cell: (each) => each.segments.join(", ") },
    isAdministrator() && may("patch_export")
      && { title: t("common.actions"), cell: (each) => html`<${Detach} saved=${each} onDone=${reload} />` },
  ];
  return html`<section>
    <h2>${t("connection.uses")}</h2>
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${exports && html`<${Table} caption=${t("connection.uses")} columns=${columns.filter(Boolean)} rows=${exports}
      empty=${t("connection.uses_none")} />`}
  </section>`;
}

export function Detach({ saved, onDone }) {
  const [open, setOpen] = useState(false);
  const { act, busy, problem, clear } = useAction(async () => {
    await patch(path("exports", saved.id), { connection: null }, { query: { check: false } });
    setOpen(false);
    announce(t("connection.detach_done", { name: saved.name }));
    onDone();
  });
  const close = () => {
    clear();
    setOpen(false);
  };
  return html`<button type="button" onClick=${() => setOpen(true)}>${t("connection.detach_act")}
      <span class="unseen"> ${saved.name}</span></button>
    <${Confirm} open=${open} title=${t("connection.detach_title", { name: saved.name })} action=${t("connection.detach_yes")}
      busy=${busy} problem=${problem} onYes=${act} onClose=${close}>
      <p>${t("connection.detach_text")}</p>
    <//>`;
}
