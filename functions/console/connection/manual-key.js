// The app may not write the secret: the command for somebody who may.
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { announce } from "../components/live.js";

export function ManualKey({ problem, onDone = null }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(problem.detail);
    setCopied(true);
    announce(t("key.copied"));
  };
  return html`<div class="box box-warning">
    <p>${t("key.by_hand")}</p>
    <pre tabindex="0"><code>${problem.detail}</code></pre>
    <p class="row">
      <button type="button" onClick=${copy}>${isCopied ? t("key.copied") : t("key.copy")}</button>
      ${onDone && html`<button type="button" class="main" onClick=${onDone}>${t("key.done")}</button>`}
    </p>
  </div>`;
}
