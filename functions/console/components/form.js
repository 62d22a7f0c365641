// Fields with their names, hints and what is wrong with them; what is wrong comes from a Problem by its JSON pointer.
import { html, useEffect, useId, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { guardLeaving } from "../router.js";

// Statuses for which it is a field that is at fault: one is not valid, or the id is taken.
const OF_FIELDS = new Set([400, 412]);

// When the app has refused a form its first wrong field takes the focus, or else what says why: it may be far above.
// `kept` is what was saved last: until it is another, nobody leaves what they have filled in without being asked.
export function Form({ onSubmit, problem = null, busy = false, submit, kept, children, ...rest }) {
  const form = useRef(null);
  const [isTouched, setTouched] = useState(false);
  useEffect(() => setTouched(false), [kept]);
  useEffect(() => (isTouched ? guardLeaving(() => confirm(t("form.leave"))) : undefined), [isTouched]);
  useEffect(() => {
    if (!problem) return;
    const isOfFields = problem.errors?.length > 0 || OF_FIELDS.has(problem.status);
    const wrong = isOfFields && form.current.querySelector('[aria-invalid="true"]');
    (wrong || form.current.querySelector('[role="alert"]'))?.focus();
  }, [problem]);
  const send = (event) => {
    event.preventDefault();
    onSubmit();
  };
  return html`<form ref=${form} class="form" onSubmit=${send} novalidate
    onInput=${() => setTouched(kept !== undefined)} ...${rest}>
    ${children}
    ${submit && html`<p class="row"><button class="main" disabled=${busy}>${submit}</button></p>`}
  </form>`;
}

// The frame of a field: `control(attributes)` makes what is filled in.
export function Field({ label, hint = null, error = null, optional = false, control }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const attributes = { id, "aria-describedby": described || undefined, "aria-invalid": error ? "true" : undefined };
  return html`<div class="field">
    <label for=${id}>${label}${optional && html` <span class="quiet">${t("form.optional")}</span>`}</label>
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${control(attributes)}
    ${error && html`<p class="field-error" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}

const faultOf = (problem, pointer) => (pointer ? (problem?.fault?.(pointer) ?? null) : null);

export function TextField({ label, hint, optional, value, onInput, problem, pointer, error, type = "text", ...rest }) {
  const control = (attributes) =>
    html`<input type=${type} value=${value} onInput=${(event) => onInput(event.target.value)}
      ...${attributes} ...${rest} />`;
  return html`<${Field} ...${{ label, hint, optional, control }} error=${error ?? faultOf(problem, pointer)} />`;
}

export function TextArea({ label, hint, optional, value, onInput, problem, pointer, error, ...rest }) {
  const control = (attributes) =>
    html`<textarea value=${value} onInput=${(event) => onInput(event.target.value)} ...${attributes} ...${rest}>
    </textarea>`;
  return html`<${Field} ...${{ label, hint, optional, control }} error=${error ?? faultOf(problem, pointer)} />`;
}

// Options are [value, text].
export function SelectField({ label, hint, optional, value, onInput, options, problem, pointer, error, ...rest }) {
  const control = (attributes) =>
    html`<select value=${value} onChange=${(event) => onInput(event.target.value)} ...${attributes} ...${rest}>
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select>`;
  return html`<${Field} ...${{ label, hint, optional, control }} error=${error ?? faultOf(problem, pointer)} />`;
}

export function CheckField({ label, hint, checked, onInput, problem, pointer, ...rest }) {
  const id = useId();
  const error = faultOf(problem, pointer);
  return html`<div class="field check">
    <input type="checkbox" id=${id} checked=${checked} onChange=${(event) => onInput(event.target.checked)}
      aria-invalid=${error ? "true" : undefined} aria-describedby=${`${id}-more`} ...${rest} />
    <div>
      <label for=${id}>${label}</label>
      <p class=${error ? "field-error" : "hint"} id=${`${id}-more`}>${error ?? hint}</p>
    </div>
  </div>`;
}

// One of a few: options are [value, text, hint].
export function RadioField({ legend, value, onInput, options, problem, pointer }) {
  const id = useId();
  const error = faultOf(problem, pointer);
  return html`<fieldset class="field" aria-describedby=${error ? `${id}-error` : undefined}>
    <legend>${legend}</legend>
    ${options.map(
      ([each, text, hint], at) => html`<div class="check">
        <input type="radio" name=${id} id=${`${id}-${at}`} value=${each} checked=${each === value}
          onChange=${() => onInput(each)} aria-describedby=${hint ? `${id}-${at}-hint` : undefined} />
        <div>
          <label for=${`${id}-${at}`}>${text}</label>
          ${hint && html`<p class="hint" id=${`${id}-${at}-hint`}>${hint}</p>`}
        </div>
      </div>`,
    )}
    ${error && html`<p class="field-error" id=${`${id}-error`}>${error}</p>`}
  </fieldset>`;
}
