// Something is under way.
import { html } from "../html.js";
import { t } from "../i18n.js";

export function Spinner({ label = t("common.loading") }) {
  return html`<p class="spinner" role="status"><span class="spinner-ring" aria-hidden="true"></span>${label}</p>`;
}
