// Whom the export has brought, who has left, and leavers that somebody has to decide about.
import { path, post } from "../api.js";
import { Confirm } from "../components/dialog.js";
import { CheckField } from "../components/form.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { number, t } from "../i18n.js";
import { go } from "../router.js";
import { may } from "../session.js";
import { ListDownload } from "./rejected.js";

export function Members({ run }) {
  const { members, counts } = run;
  if (!members) return null;
  const facts = [
    ["members.before", members.before],
    ["members.joined", members.joined],
    ["members.left", members.left],
    ["members.after", members.after],
    ["members.removed", counts.removed],
    ["members.not_removed", counts.not_removed],
    ...(run.removals_to_confirm ? [["members.waiting", run.removals_to_confirm]] : []),
  ];
  return html`<section>
    <h2>${t("members.title")}</h2>
    <p class="quiet">${t("members.meaning")}</p>
    <dl class="facts">${facts.map(([key, value]) => html`<dt>${t(key)}</dt><dd>${number(value)}</dd>`)}</dl>
  </section>`;
}

// Leavers that were more than the export may take off by itself.
export function RemovalsToConfirm({ run }) {
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const confirm = useAction(async (key) => {
    const { data } = await post(path("exports", run.export, "runs", run.id, "confirm-removals"), undefined, { key });
    go(["exports", run.export, "runs", data.id]);
  });
  const count = run.removals_to_confirm;
  if (!count) return null;
  const close = () => {
    setOpen(false);
    setSure(false);
    confirm.clear();
  };
  return html`<section class="box box-warning">
    <p><strong>${t("removals.waiting", { count })}</strong></p>
    <p>${t("removals.meaning")}</p>
    ${may("confirm_removals") &&
    html`<p><button type="button" class="danger" onClick=${() => setOpen(true)}>${t("removals.decide", { count })}</button></p>
      <${Confirm} open=${open} title=${t("removals.title")} action=${t("removals.action", { count })} danger
        busy=${confirm.busy || !sure} problem=${confirm.problem} onYes=${() => confirm.act()} onClose=${close}>
        <p>${t("removals.what", { count, list: run.list_name ?? "" })}</p>
        <${CheckField} label=${t("removals.sure", { count })} checked=${sure} onInput=${setSure} />
      <//>`}
  </section>`;
}

export function Adopted({ run }) {
  const { adopted } = run;
  if (!adopted) return null;
  const facts = ["on_list", "made", "known", "others"];
  return html`<section>
    <h2>${t("adopted.title")}</h2>
    <dl class="facts">${facts.map((name) => html`<dt>${t(`adopted.${name}`)}</dt><dd>${number(adopted[name])}</dd>`)}</dl>
    ${adopted.others > 0 && may("get_others") &&
    html`<${ListDownload} run=${run} what="others">${t("adopted.download")}<//>`}
  </section>`;
}
