// What came of saving: what will hinder the export, when it runs, and what it would do.
import { patch, path, post } from "../api.js";
import { isOver } from "../components/badge.js";
import { ErrorBox, Notice } from "../components/error.js";
import { announce } from "../components/live.js";
import { Spinner } from "../components/spinner.js";
import { Time } from "../components/time.js";
import { useAction } from "../hooks.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { useRun } from "../run/follow.js";
import { Forecast } from "../run/forecast.js";
import { may } from "../session.js";

let handed = null;

// A new export gets another address, and with it another view: what saving has answered goes with it.
export const handOver = (view) => {
  handed = view;
};

export function takeOver(id) {
  const found = handed?.id === id ? handed : null;
  handed = null;
  return found;
}

export function Outcome({ view, etag, onChanged }) {
  const place = useRef(null);
  const [run, setRun] = useState(null);
  useEffect(() => {
    place.current.focus();
    scrollTo(0, 0);
  }, [view]);
  const enable = useAction(async () => {
    const { data, etag: now } = await patch(path("exports", view.id), { enabled: true }, { etag });
    announce(t("outcome.enabled"));
    onChanged(data, now);
  });
  const plan = useAction(async (key) => {
    const { data } = await post(path("exports", view.id, "plan"), undefined, { key });
    setRun(data.id);
  });
  return html`<section class="outcome" tabindex="-1" ref=${place} aria-labelledby="outcome-title">
    <div class="box box-good">
      <p id="outcome-title"><strong>${t("outcome.saved")}</strong></p>
      <p>${nextRun(view)}</p>
    </div>
    ${view.warnings.filter(({ code }) => code !== "export_disabled").map((each) =>
      html`<${Notice} key=${each.code} message=${each.message} code=${each.code} />`)}
    <${ErrorBox} problem=${enable.problem ?? plan.problem} />
    <p class="row">
      ${may("plan_export") && view.connection && html`<button type="button" class="main" disabled=${plan.busy}
        onClick=${() => plan.act()}>${t("outcome.plan")}</button>`}
      ${!view.enabled && html`<button type="button" disabled=${enable.busy} onClick=${() => enable.act()}>${t("outcome.enable")}</button>`}
      <a class="button" href=${href(["exports", view.id])}>${t("outcome.go")}</a>
    </p>
    ${run && html`<${DryRun} key=${run} export=${view.id} run=${run} />`}
  </section>`;
}

// A dry run while it goes on, then what the export would change.
function DryRun({ export: id, run: runId }) {
  const { run, problem, reload } = useRun(id, runId);
  if (problem) return html`<${ErrorBox} problem=${problem} retry=${reload} />`;
  if (!run || !isOver(run.status)) return html`<${Spinner} label=${t("outcome.planning")} />`;
  const address = href(["exports", id, "runs", runId]);
  return html`${run.forecast ? html`<${Forecast} run=${run} />` : html`<${Notice} message=${run.reason.message} code=${run.reason.code} />`}
    <p><a href=${address}>${t("outcome.dry_run")}</a></p>`;
}

function nextRun(view) {
  if (!view.enabled) return t("outcome.disabled");
  if (!view.next_run_at) return view.schedule.kind === "arrival" ? t("outcome.arrival") : t("outcome.on_demand");
  return html`${t("outcome.next")} <${Time} at=${view.next_run_at} />`;
}
