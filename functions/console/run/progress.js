// How far a run is, as it is known: planned here, accepted by SendGrid, confirmed by its import jobs.
import { Notice } from "../components/error.js";
import { StackedBar } from "../components/stacked-bar.js";
import { html, useId } from "../html.js";
import { duration, number, t } from "../i18n.js";

// What SendGrid has confirmed is told by the counts; before that it has only taken it in.
export function Progress({ run }) {
  const { chunks, counts } = run;
  if (!chunks.planned) return null;
  const steps = [
    ["run.planned", chunks.contacts_planned],
    ["run.accepted", chunks.contacts_accepted],
    ["run.confirmed", Math.min(counts.sent, chunks.contacts_planned)],
  ];
  return html`<section>
    <h2>${t("run.progress")}</h2>
    ${steps.map(([key, value]) => html`<${Meter} label=${t(key)} value=${value} most=${chunks.contacts_planned} />`)}
    <p class="quiet">${t("run.chunks_done", { finished: chunks.finished, count: chunks.planned })}</p>
  </section>`;
}

function Meter({ label, value, most }) {
  const id = useId();
  return html`<div class="meter">
    <label for=${id}>${label}</label>
    <progress id=${id} value=${value} max=${Math.max(most, 1)}></progress>
    <span class="numeric">${number(value)}</span>
  </div>`;
}

// Why nothing moves, while that is known.
export function Waiting({ run }) {
  if (!run.waits_for) return null;
  return html`<${Notice} tone="busy" message=${run.waits_for} />`;
}

export function Stages({ run }) {
  const parts = run.stages.map((stage) => ({
    key: stage.name,
    label: t(`run_stage.${stage.name}`),
    value: stage.seconds,
    text: duration(stage.seconds),
  }));
  const { waits, seconds } = run.throttling;
  return html`<section>
    <h2>${t("run.stages")}</h2>
    <${StackedBar} label=${t("run.stages")} parts=${parts}>
      <ol class="stages">
        ${parts.map(
          (part, at) => html`<li aria-current=${!run.finished_at && at === parts.length - 1 ? "step" : undefined}>
            <span class=${`swatch part-${part.key}`}></span>${part.label} ${part.text}
          </li>`,
        )}
      </ol>
    <//>
    ${run.chunks.planned > 0 && html`<p class="quiet">
      ${waits ? t("run.throttled", { count: waits, time: duration(seconds) }) : t("run.not_throttled")}
    </p>`}
  </section>`;
}
