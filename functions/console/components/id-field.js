// The id of something new: it stands in addresses, and is made of the name until somebody writes another one.
import { Problem } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { TextField } from "./form.js";

const LONGEST = 63;
const ID_NEEDED = "id_needed";

// A name without Latin letters and digits gives none, and without one there is no address to save to.
export function requireId(id) {
  if (!id) throw new Problem({ status: 400, code: ID_NEEDED });
}

// Letters without their accents, digits, and hyphens between them.
export const idOf = (name) =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, "");

export function IdField({ value, onInput, problem, ...rest }) {
  const missing = problem?.code === ID_NEEDED ? t("problem.id_needed") : null;
  const error = problem?.fault?.("id") ?? missing ?? (problem?.status === 412 ? t("id.taken") : null);
  return html`<${TextField} label=${t("id.label")} hint=${t("id.hint")} value=${value} onInput=${onInput} error=${error}
    spellcheck=${false} autocomplete="off" maxlength=${LONGEST} ...${rest} />`;
}
