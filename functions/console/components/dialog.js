// A question that must be answered first; the browser keeps the focus in it and gives it back.
import { html, useEffect, useId, useRef } from "../html.js";
import { t } from "../i18n.js";
import { ErrorBox } from "./error.js";

export function Dialog({ open, title, onClose, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    if (open && !dialog.current.open) dialog.current.showModal();
    if (!open && dialog.current.open) dialog.current.close();
  }, [open]);
  return html`<dialog ref=${dialog} aria-labelledby=${id} onClose=${onClose}>
    <h2 id=${id}>${title}</h2>
    ${open && children}
  </dialog>`;
}

// Asks whether something is to be done; `action` says what the button does, in so many words. Without one it only tells.
export function Confirm({ open, title, action, danger = false, busy = false, problem = null, onYes, onClose, children }) {
  return html`<${Dialog} open=${open} title=${title} onClose=${onClose}>
    ${children}
    <${ErrorBox} problem=${problem} />
    <p class="row row-end">
      <button type="button" onClick=${onClose}>${t("common.cancel")}</button>
      ${action &&
      html`<button type="button" class=${danger ? "danger" : "main"} disabled=${busy} onClick=${onYes}>${action}</button>`}
    </p>
  <//>`;
}
