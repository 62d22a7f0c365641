// Which segments are exported, and what a run would read of each now.
import { path } from "../api.js";
import { ErrorBox, Notice } from "../components/error.js";
import { CheckField, TextField } from "../components/form.js";
import { Spinner } from "../components/spinner.js";
import { useResource } from "../hooks.js";
import { html, useState } from "../html.js";
import { bytes, relative, t, translated } from "../i18n.js";
import { may } from "../session.js";

const MANY = 10;

// `source` is how the export has their files found and read; a new one has none yet.
export function Segments({ segments, chosen, source, onInput, problem }) {
  const [wanted, setWanted] = useState("");
  const known = segments.data?.segments ?? [];
  const names = [...new Set([...known.map((each) => each.segment), ...chosen])];
  const shown = names.filter((name) => name.toLowerCase().includes(wanted.toLowerCase()));
  const of = (name) => known.find((each) => each.segment === name);
  const toggle = (name) => (isWanted) => onInput(isWanted ? [...chosen, name] : chosen.filter((each) => each !== name));
  const wrong = problem?.faultBelow?.("/segments") ?? problem?.fault?.("segments");
  return html`<fieldset class="field">
    <legend>${t("export_editor.segments")}</legend>
    <p class="hint">${t("export_editor.segments_hint")}</p>
    <${ErrorBox} problem=${segments.problem} retry=${segments.reload} />
    ${segments.loading && html`<${Spinner} label=${t("export_editor.segments_busy")} />`}
    ${names.length > MANY && html`<${TextField} label=${t("export_editor.filter")} value=${wanted} onInput=${setWanted}
      type="search" />`}
    <div class=${names.length > MANY ? "inset choices" : "choices"}>
      ${shown.map((name) => html`<${CheckField} key=${name} label=${name} checked=${chosen.includes(name)}
        onInput=${toggle(name)} hint=${segments.data && delivery(of(name))} aria-invalid=${wrong ? "true" : undefined} />`)}
    </div>
    ${segments.data && !names.length && html`<p class="quiet">${t("export_editor.segments_none")}</p>`}
    ${wrong && html`<p class="field-error">${wrong}</p>`}
    ${chosen.length > 1 && html`<${Order} chosen=${chosen} onInput=${onInput} />`}
    ${chosen.map((name) => html`<${Delivered} key=${name} found=${of(name)} />`)}
    ${may("get_segment") && chosen.map((name) => html`<${Contents} key=${name} segment=${name} source=${source} />`)}
  </fieldset>`;
}

function delivery(found) {
  if (!found) return t("export_editor.not_delivered");
  if (!found.extract) return translated(found.problem.code)?.meaning ?? found.problem.message;
  const { version, delivered_at: at, files } = found.extract;
  return t("export_editor.delivered", {
    version,
    ago: at ? relative(at) : "–",
    files: t("export_editor.files", { count: files }),
    size: bytes(found.extract.bytes),
  });
}

// What one should know of an extract: why there is none, and what of it or beside it is not read.
function Delivered({ found }) {
  if (!found) return null;
  const { segment, problem, extract, columns_problem: unknown } = found;
  const passed = extract?.passed_over ?? [];
  const count = passed.length + (extract?.passed_over_more ?? 0);
  return html`${problem && html`<${Notice} code=${problem.code} message=${`${segment}: ${problem.message}`} />`}
    ${extract?.incomplete && html`<${Notice} message=${`${segment}: ${extract.incomplete}`} />`}
    ${unknown && html`<${Notice} message=${`${segment}: ${unknown}`} />`}
    ${count > 0 && html`<details>
      <summary>${t("export_editor.passed_over", { count, segment })}</summary>
      <ul>${passed.map((each) => html`<li><code>${each.name}</code> <span lang="en">${each.why}</span></li>`)}
        ${extract.passed_over_more > 0 && html`<li>…</li>`}</ul>
    </details>`}`;
}

const TYPES = new Map([
  ["email", () => t("field.email")],
  ["phone", () => t("field.phone_number")],
  ["date", () => t("field_type.Date")],
  ["number", () => t("field_type.Number")],
  ["text", () => t("field_type.Text")],
]);

// All columns of a segment, mapped or not. To look is to read data of people, so it is asked for when it is opened.
function Contents({ segment, source }) {
  const [isOpen, setOpen] = useState(false);
  const query = source ? { source: JSON.stringify(source) } : {};
  const { data, problem, loading, reload } = useResource(isOpen ? path("segments", segment) : null, { query });
  const why = data?.columns_problem ?? data?.problem?.message;
  return html`<details onToggle=${(event) => setOpen(event.target.open)}>
    <summary>${t("export_editor.contents", { segment })}</summary>
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${loading && html`<${Spinner} />`}
    ${why && html`<${Notice} message=${why} />`}
    ${data?.columns && html`<ul>${data.columns.map((each) => html`<li><strong>${each.name}</strong>
      ${" "}<span class="quiet">${each.type && TYPES.get(each.type)()}</span>
      ${" "}<span class="samples">${each.samples.map((value) => html`<code>${value}</code> `)}</span></li>`)}</ul>`}
  </details>`;
}

// Who is in several segments is taken from the first of them.
function Order({ chosen, onInput }) {
  const up = (at) => onInput(chosen.toSpliced(at - 1, 2, chosen[at], chosen[at - 1]));
  return html`<div class="field">
    <p class="hint">${t("export_editor.order")}</p>
    <ol>${chosen.map((name, at) => html`<li key=${name}>${name} ${at > 0 &&
      html`<button type="button" class="link" onClick=${() => up(at)}>${t("export_editor.up")}
        <span class="unseen"> ${name}</span></button>`}</li>`)}</ol>
  </div>`;
}
