// A run: how far it is while it goes on, and everything about it when it is over.
import { isOver, RunStatus } from "../components/badge.js";
import { ErrorBox, Notice, Told } from "../components/error.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Time } from "../components/time.js";
import { html } from "../html.js";
import { dateTime, duration, number, t, translated } from "../i18n.js";
import { href } from "../router.js";
import { Actions } from "../run/actions.js";
import { Chunks } from "../run/chunks.js";
import { Extracts } from "../run/extracts.js";
import { useRun } from "../run/follow.js";
import { Forecast } from "../run/forecast.js";
import { Adopted, Members, RemovalsToConfirm } from "../run/members.js";
import { Outcome } from "../run/outcome.js";
import { Progress, Stages, Waiting } from "../run/progress.js";
import { Rejected } from "../run/rejected.js";

const TONES = { succeeded: "good", failed: "bad", completed_with_warnings: "warning" };

export default function Run({ id, run: runId }) {
  const { run, problem, reload } = useRun(id, runId);
  const crumbs = [
    [t("nav.overview"), href([])],
    [id, href(["exports", id])],
  ];
  const actions = run && html`<${Actions} run=${run} reload=${reload} />`;
  return html`<${Page} title=${t("run.title_of", { export: id })} crumbs=${crumbs} actions=${actions}>
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${!run && !problem && html`<${Spinner} />`}
    ${run && html`<${Story} run=${run} />`}
  <//>`;
}

function Story({ run }) {
  return html`<${Head} run=${run} />
    <${End} run=${run} />
    <${Waiting} run=${run} />
    ${run.warnings.filter((warning) => warning !== run.reason?.message).map((warning) => html`<${Notice} key=${warning} message=${warning} />`)}
    <${RemovalsToConfirm} run=${run} />
    ${!isOver(run.status) && html`<${Progress} run=${run} />`}
    <${Forecast} run=${run} />
    <${Adopted} run=${run} />
    <${Outcome} counts=${run.counts} />
    <${Rejected} run=${run} />
    <${Members} run=${run} />
    <${Stages} run=${run} />
    <${Extracts} run=${run} />
    <${Chunks} run=${run} />`;
}

// Why it ended so, and what to do next.
function End({ run }) {
  if (!run.reason) return null;
  const tone = TONES[run.status] ?? "neutral";
  return html`<div class=${`box box-${tone}`}>
    <${Told} code=${run.reason.code} message=${run.reason.message} next=${run.next_step} loud />
  </div>`;
}

function Head({ run }) {
  const earlier = run.retry_of ?? run.confirms;
  return html`<dl class="facts">
    <dt>${t("run.status")}</dt><dd><${RunStatus} status=${run.status} /></dd>
    <dt>${t("run.kind")}</dt><dd>${t(`run_kind.${run.kind}`)}, ${t(`run_trigger.${run.trigger}`)}</dd>
    <dt>${t("run.requested_by")}</dt><dd>${run.requested_by}</dd>
    <dt>${t("run.began")}</dt><dd><${Time} at=${run.created_at} /></dd>
    ${run.duration_s !== null && html`<dt>${t("run.took")}</dt><dd>${duration(run.duration_s)}</dd>`}
    ${run.extract_age_s !== null && html`<dt>${t("run.extract_age")}</dt><dd>${duration(run.extract_age_s)}</dd>`}
    ${run.list_name && html`<dt>${t("run.list")}</dt><dd>${run.list_name} <${ListCount} run=${run} /></dd>`}
    ${run.list_ready && html`<dt>${t("run.list_ready")}</dt><dd><${ListReady} run=${run} /></dd>`}
    ${earlier &&
    html`<dt>${run.retry_of ? t("run.retry_of") : t("run.confirms")}</dt>
      <dd><a href=${href(["exports", run.export, "runs", earlier])}><code>${earlier}</code></a></dd>`}
    <dt>${t("run.id")}</dt><dd><code>${run.id}</code></dd>
  </dl>`;
}

function ListCount({ run }) {
  if (run.list_count_after === null) return null;
  const before = run.list_count_before === null ? "–" : number(run.list_count_before);
  return html`<span class="quiet">${t("run.list_count", { before, after: run.list_count_after })}</span>`;
}

// Whether the list holds what the run has left on it, so that it can be written to.
function ListReady({ run }) {
  const { list_ready: state, list_ready_at: at, list_count_settled: count, list_not_confirmed: why } = run;
  return html`${t(`list_ready.${state}`)}
    ${at && html` <span class="quiet">${t("run.list_ready_at", { time: dateTime(at) })}</span>`}
    ${count !== null && html` <span class="quiet">${t("run.list_settled", { count })}</span>`}
    ${why && html` <${NotReady} why=${why} />`}`;
}

function NotReady({ why }) {
  const own = translated(why.code);
  return html`${own && html`<span class="quiet">${own.meaning} ${own.action}</span> `}<span class="quiet" lang="en">${why.message}</span>`;
}
