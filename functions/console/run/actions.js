// What can be done about a run, for whom may do it.
import { download, path, post } from "../api.js";
import { isOver } from "../components/badge.js";
import { Confirm } from "../components/dialog.js";
import { ErrorBox } from "../components/error.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { currentLanguage, t, timeZone } from "../i18n.js";
import { go } from "../router.js";
import { may } from "../session.js";

// Whether a retry would have something to send.
const leftOver = (run) => run.deliveries.some((chunk) => chunk.not_sent > 0 || chunk.status === "unconfirmed");

export function Actions({ run, reload }) {
  const over = isOver(run.status);
  return html`${!over && may("cancel_run") && html`<${Cancel} run=${run} reload=${reload} />`}
    ${over && leftOver(run) && may("retry_run") && html`<${Start} run=${run} parts=${["runs", run.id, "retry"]} label=${t("run.retry")} />`}
    ${over && run.kind === "send" && may("start_run") && html`<${Start} run=${run} parts=${["runs"]} label=${t("run.again")} />`}
    ${over && run.kind === "dry_run" && may("plan_export") && html`<${Start} run=${run} parts=${["plan"]} label=${t("run.plan_again")} />`}
    ${may("get_report") && html`<${Report} run=${run} />`}`;
}

// A button that starts a run, and goes to it.
function Start({ run, parts, label }) {
  const { act, busy, problem } = useAction(async (key) => {
    const { data } = await post(path("exports", run.export, ...parts), undefined, { key });
    go(["exports", run.export, "runs", data.id]);
  });
  return html`<button type="button" class="main" disabled=${busy} onClick=${() => act()}>${label}</button>
    <${ErrorBox} problem=${problem} />`;
}

function Cancel({ run, reload }) {
  const [open, setOpen] = useState(false);
  const { act, busy, problem } = useAction(async () => {
    await post(path("exports", run.export, "runs", run.id, "cancel"));
    setOpen(false);
    reload();
  });
  return html`<button type="button" class="danger" onClick=${() => setOpen(true)}>${t("run.cancel")}</button>
    <${Confirm} open=${open} title=${t("run.cancel_title")} action=${t("run.cancel")} danger busy=${busy}
      problem=${problem} onYes=${() => act()} onClose=${() => setOpen(false)}>
      <p>${t("run.cancel_meaning")}</p>
    <//>`;
}

function Report({ run }) {
  const { act, busy, problem } = useAction(() =>
    download(run.links.report, `${run.export}-${run.id}.html`, {
      accept: "text/html",
      query: { language: currentLanguage(), time_zone: timeZone() },
    }));
  return html`<button type="button" disabled=${busy} onClick=${() => act()}>${t("run.report")}</button>
    <${ErrorBox} problem=${problem} />`;
}
