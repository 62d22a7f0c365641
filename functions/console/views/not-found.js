// There is no such view, or nothing under this address that the caller may see.
import { Page } from "../components/page.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { href } from "../router.js";

export default function NotFound() {
  return html`<${Page} title=${t("not_found.title")}>
    <p>${t("not_found.text")}</p>
    <p><a href=${href([])}>${t("not_found.back")}</a></p>
  <//>`;
}
