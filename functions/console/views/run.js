// Not drawn yet.
import { Page } from "../components/page.js";
import { html } from "../html.js";
import { t } from "../i18n.js";

export default function View() {
  return html`<${Page} title=${t("run.title")} />`;
}
