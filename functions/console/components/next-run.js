// When an export runs next, or what has it run.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Time } from "./time.js";

export function NextRun({ saved }) {
  if (saved.next_run_at) return html`<${Time} at=${saved.next_run_at} />`;
  return html`<span class="quiet">${words(saved)}</span>`;
}

function words({ enabled, connection, schedule }) {
  if (!enabled) return t("overview.disabled");
  if (connection === null) return t("definition.detached");
  return schedule.kind === "arrival" ? t("schedule.arrival") : t("overview.on_demand");
}
