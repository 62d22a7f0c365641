// What is sent again, who is taken off the list, and how much is too much.
import { Field, RadioField, TextField } from "../components/form.js";
import { html } from "../html.js";
import { t } from "../i18n.js";

const wholeOrNull = (text) => (text === "" ? null : Number(text));

export function Modes({ draft, set, problem }) {
  const field = (name, pointer = `/${name}`) => ({ problem, pointer, type: "number", min: "1", step: "1" });
  const removals = draft.max_removals;
  const choice = (name, values) => html`<${RadioField} legend=${t(`modes.${name}`)} value=${draft[name]} onInput=${set(name)}
    options=${values.map((each) => [each, t(`modes.${name}_${each}`), t(`modes.${name}_${each}_hint`)])} problem=${problem}
    pointer=${`/${name}`} />`;
  return html`<section>
    <h2>${t("modes.title")}</h2>
    <div class="column">
      ${choice("changes", ["changed", "all"])}
      ${draft.changes === "changed" && html`<${TextField} label=${t("modes.resend_every")} hint=${t("modes.resend_every_hint")}
        value=${draft.resend_every ?? ""} onInput=${(text) => set("resend_every")(wholeOrNull(text))} max="365" ...${field("resend_every")} />`}
      ${choice("leavers", ["keep", "remove"])}
      ${draft.leavers === "remove" && html`<div class="inset-form">
        <${TextField} label=${t("modes.after_missing_runs")} hint=${t("modes.after_missing_runs_hint")}
          value=${draft.after_missing_runs ?? ""} onInput=${(text) => set("after_missing_runs")(wholeOrNull(text))} max="100"
          ...${field("after_missing_runs")} />
        <p class="hint">${t("modes.max_removals_hint")}</p>
        <${Percent} label=${t("modes.max_share")} value=${removals.share} problem=${problem} pointer="/max_removals/share"
          onInput=${(share) => set("max_removals")({ ...removals, share })} />
        <${TextField} label=${t("modes.max_number")} optional value=${removals.number ?? ""}
          onInput=${(text) => set("max_removals")({ ...removals, number: wholeOrNull(text) })}
          ...${field("max_removals", "/max_removals/number")} min="0" />
      </div>`}
      <${TextField} label=${t("modes.max_contacts")} hint=${t("modes.max_contacts_hint")} value=${draft.max_contacts ?? ""}
        onInput=${(text) => set("max_contacts")(wholeOrNull(text))} ...${field("max_contacts")} />
      ${choice("overlap", ["wait", "skip"])}
    </div>
  </section>`;
}

// A share, written as a percentage.
function Percent({ label, value, onInput, problem, pointer }) {
  const control = (attributes) => html`<span class="row"><input type="number" min="0" max="100" step="any" class="short"
    value=${value === null ? "" : Math.round(value * 1e6) / 1e4}
    onInput=${(event) => onInput(event.target.value === "" ? null : Number(event.target.value) / 100)} ...${attributes} /> %</span>`;
  return html`<${Field} label=${label} control=${control} error=${problem?.fault?.(pointer)} />`;
}
