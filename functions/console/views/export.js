// An export: what hinders it, how it goes, what it is, and its runs.
import { path } from "../api.js";
import { RunStatus } from "../components/badge.js";
import { ContactsChart } from "../components/contacts-chart.js";
import { ErrorBox, Notice } from "../components/error.js";
import { NextRun } from "../components/next-run.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Time } from "../components/time.js";
import { Actions, MoreActions } from "../export/actions.js";
import { Definition } from "../export/definition.js";
import { History } from "../export/history.js";
import { useResource } from "../hooks.js";
import { html } from "../html.js";
import { list, t } from "../i18n.js";
import { href } from "../router.js";

const LOOK_SECONDS = 30;

export default function Export({ id }) {
  const { data, etag, problem, reload } = useResource(path("exports", id), { every: LOOK_SECONDS });
  const actions = data && html`<${Actions} saved=${data} etag=${etag} reload=${reload} />`;
  return html`<${Page} title=${data?.name ?? t("export.title")} crumbs=${[[t("nav.overview"), href([])]]} actions=${actions}>
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Spinner} />`}
    ${!data && problem?.status === 404 && html`<p>${t("export.gone")}</p><${History} id=${id} />`}
    ${data && html`<${State} saved=${data} /><${History} id=${id} last=${versionOf(data)} /><${Definition} saved=${data} />
      <${MoreActions} saved=${data} etag=${etag} reload=${reload} />`}
  <//>`;
}

// Changes when a run has begun or ended: what tells of runs is read anew then.
const versionOf = ({ last_run: last }) => `${last?.id} ${last?.status}`;

function State({ saved }) {
  const last = saved.last_run;
  return html`<p class="quiet">${list(saved.segments)} → ${saved.connection ?? t("definition.detached")}</p>
    ${saved.warnings.map((each) => html`<${Notice} key=${each.code} message=${each.message} code=${each.code} />`)}
    <div class="beside">
      <dl class="facts">
        <dt>${t("overview.last_run")}</dt>
        <dd>${last
          ? html`<a href=${href(["exports", saved.id, "runs", last.id])}><${RunStatus} status=${last.status} /></a>${" "}
              <${Time} at=${last.finished_at} ago />`
          : t("overview.never_run")}</dd>
        <dt>${t("overview.next_run")}</dt>
        <dd><${NextRun} saved=${saved} /></dd>
        <dt>${t("export.state")}</dt><dd>${saved.enabled ? t("export.enabled") : t("overview.disabled")}</dd>
      </dl>
      <${ContactsChart} key=${versionOf(saved)} id=${saved.id} />
    </div>`;
}
