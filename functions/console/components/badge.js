// A short word with a colour that repeats what the word says.
import { html } from "../html.js";
import { known, t } from "../i18n.js";

// Tones: neutral, busy, good, warning, bad.
export function Badge({ tone = "neutral", children }) {
  return html`<span class=${`badge badge-${tone}`}>${children}</span>`;
}

const TONES = {
  queued: "busy",
  waiting_for_extract: "busy",
  planning: "busy",
  uploading: "busy",
  importing: "busy",
  succeeded: "good",
  completed_with_warnings: "warning",
  failed: "bad",
  skipped: "neutral",
  cancelled: "neutral",
};

export const isOver = (status) => TONES[status] !== "busy";

// Where a run is.
export function RunStatus({ status }) {
  const key = `run_status.${status}`;
  return html`<${Badge} tone=${TONES[status]}>${known(key) ? t(key) : status}<//>`;
}
