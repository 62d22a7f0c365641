// The id of something new: it stands in addresses, and is made of the name until somebody writes another one.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { TextField } from "./form.js";

const LONGEST = 63;

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
  const error = problem?.fault?.("id") ?? (problem?.status === 412 ? t("id.taken") : null);
  return html`<${TextField} label=${t("id.label")} hint=${t("id.hint")} value=${value} onInput=${onInput} error=${error}
    spellcheck=${false} autocomplete="off" maxlength=${LONGEST} ...${rest} />`;
}
