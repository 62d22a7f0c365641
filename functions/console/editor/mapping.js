// Columns of the extract on the left, SendGrid's fields on the right, and whether what is in the one fits the other.
import { ErrorBox } from "../components/error.js";
import { CheckField } from "../components/form.js";
import { announce } from "../components/live.js";
import { typeName } from "../connection/found.js";
import { html, useId } from "../html.js";
import { known, list, number, t } from "../i18n.js";
import { may } from "../session.js";
import { columnOf, FIRST_FIELDS, MORE_FIELDS, suggested, withColumn, withRule } from "./draft.js";

const ALTERNATES_MAX = 5;

// SendGrid's own name for what there are no words for.
export const fieldName = (field) => (known(`field.${field}`) ? t(`field.${field}`) : field.replace("custom_fields.", ""));

const isMapped = (mapping) => (field) => columnOf(mapping, field) !== "";

// `columns` are {name, missing}: missing names chosen segments without it. `fields` is what SendGrid has, `tried` what
// the first rows say: {verdicts, problem, isBusy}.
export function Mapping({ mapping, columns, fields, tried, onInput, problem }) {
  const custom = (fields?.custom ?? []).map((each) => `custom_fields.${each.name}`);
  const gone = Object.keys(mapping.custom_fields).map((name) => `custom_fields.${name}`).filter((each) => !custom.includes(each));
  const more = [...MORE_FIELDS, ...custom, ...(fields ? gone : Object.keys(mapping.custom_fields).map((name) => `custom_fields.${name}`))];
  const row = (field) => html`<${Row} key=${field} ...${{ field, mapping, columns, onInput, problem }}
    described=${describe(fields, field)} verdict=${tried.verdicts.get(field)} isGone=${Boolean(fields) && gone.includes(field)} />`;
  const suggest = () => {
    const found = suggested(mapping, {
      columns: columns.map((each) => each.name),
      custom: (fields?.custom ?? []).map((each) => each.name),
      words: fieldName,
    });
    announce(t("mapping.suggested"));
    onInput(found);
  };
  const used = more.filter(isMapped(mapping)).length + mapping.alternate_emails.length;
  return html`<section>
    <h2>${t("mapping.title")}</h2>
    <div class="row">
      <p class="hint">${t("mapping.hint")}</p>
      <button type="button" disabled=${!columns.length} onClick=${suggest}>${t("mapping.suggest")}</button>
    </div>
    <${Tried} tried=${tried} />
    <div class="map map-head" aria-hidden="true"><span>${t("mapping.column")}</span><span>${t("mapping.field")}</span></div>
    ${FIRST_FIELDS.map(row)}
    <details open=${used > 0 || Boolean(problem?.faultBelow?.("/mapping"))}>
      <summary>${t("mapping.more", { count: used })}</summary>
      ${more.map(row)}
      <${Alternates} ...${{ mapping, columns, onInput, problem }} />
    </details>
  </section>`;
}

// How the look at the first rows went, as a whole.
function Tried({ tried: { found, problem, isBusy } }) {
  if (!may("preview_draft")) return null;
  if (problem) return html`<${ErrorBox} problem=${problem} />`;
  if (isBusy) return html`<p class="quiet" role="status">${t("verdict.busy")}</p>`;
  if (!found) return html`<p class="quiet">${t("verdict.when")}</p>`;
  const { rows_read: rows, sent, unchanged, duplicate, rejected } = found.counts;
  return html`<p class="quiet" role="status">${t("verdict.all", { rows, sent: sent + unchanged, duplicate, rejected })}</p>`;
}

// Type and greatest length, as far as SendGrid says.
function describe(fields, field) {
  const name = field.replace("custom_fields.", "");
  const found = (field === name ? fields?.reserved : fields?.custom)?.find((each) => each.name === name);
  if (!found) return null;
  const length = found.max_length;
  return length ? t("mapping.type_length", { type: typeName(found.type), length }) : typeName(found.type);
}

function Row({ field, mapping, columns, described, verdict, isGone, onInput, problem }) {
  const id = useId();
  const column = columnOf(mapping, field);
  const pointer = `/mapping/${field.replace(".", "/")}`;
  const chosen = columns.find((each) => each.name === column);
  const wrong = problem?.faultBelow?.(pointer) ?? (isGone ? t("mapping.field_gone") : faultOf(column, chosen, columns));
  const samples = (column && verdict?.samples) || [];
  return html`<div class="map">
    <div>
      <${Columns} id=${id} value=${column} columns=${columns} none=${field === "email" ? t("mapping.choose") : t("mapping.not_sent")}
        onInput=${(value) => onInput(withColumn(mapping, field, value))} aria-invalid=${wrong ? "true" : undefined}
        aria-describedby=${`${id}-about ${id}-more`} />
      <p class="samples" id=${`${id}-about`}>
        ${samples.length > 0 && html`<span class="unseen">${t("mapping.samples")} </span>`}
        ${samples.map((each) => html`<code>${each}</code> `)}</p>
      ${wrong && html`<p class="field-error">${wrong}</p>`}
    </div>
    <div>
      <label for=${id}><strong>${fieldName(field)}</strong>${field === "email" && html` <span class="quiet">${t("mapping.required")}</span>`}</label>
      <p class="hint" id=${`${id}-more`}>${described}</p>
      ${column && html`<${Verdict} verdict=${verdict} />
        <${Rules} field=${field} mapping=${mapping} verdict=${verdict} onInput=${onInput} />`}
    </div>
  </div>`;
}

function faultOf(column, chosen, columns) {
  if (!column || !columns.length) return null;
  if (!chosen) return t("mapping.no_such_column");
  return chosen.missing.length ? t("mapping.missing_in", { segments: list(chosen.missing) }) : null;
}

// A choice of columns; one that is not there any more stays to be seen.
function Columns({ value, columns, none, onInput, ...rest }) {
  const names = columns.map((each) => each.name);
  const all = value && !names.includes(value) ? [value, ...names] : names;
  return html`<select value=${value} onChange=${(event) => onInput(event.target.value)} ...${rest}>
    <option value="" selected=${value === ""}>${none}</option>
    ${all.map((each) => html`<option value=${each} selected=${each === value}>${each}</option>`)}
  </select>`;
}

const FOUND = ["empty", "cut", "unusable", "rejected"];

// What of the rows that were looked at does not fit.
function Verdict({ verdict }) {
  if (!verdict) return null;
  const found = FOUND.filter((each) => verdict[each] > 0);
  if (!found.length) return html`<p class="verdict verdict-good">${t("verdict.good", { count: verdict.rows })}</p>`;
  const isBad = verdict.rejected > 0;
  const told = found.map((each) => t(`verdict.${each}`, { count: verdict[each] }));
  return html`<p class=${`verdict verdict-${isBad ? "bad" : "note"}`}>
    ${t("verdict.found", { what: list(told), rows: number(verdict.rows) })}</p>`;
}

// What becomes of values that are too long, or no number or date; shown where there may be such.
function Rules({ field, mapping, verdict, onInput }) {
  const name = field.replace("custom_fields.", "");
  const isCustom = name !== field;
  const rules = [
    field !== "email" && ["over_long", "reject", mapping.over_long[name] || verdict?.cut > 0],
    isCustom && ["unusable", "reject", mapping.unusable[name] || verdict?.unusable > 0],
  ];
  return rules.filter((each) => each && each[2]).map(
    ([what, strict]) => html`<${CheckField} label=${t(`mapping.${what}`)} hint=${t(`mapping.${what}_hint`)}
      checked=${mapping[what][name] === strict}
      onInput=${(isStrict) => onInput(withRule(mapping, what, name, isStrict ? strict : null))} />`,
  );
}

function Alternates({ mapping, columns, onInput, problem }) {
  const id = useId();
  const chosen = mapping.alternate_emails;
  const set = (at, value) =>
    onInput({ ...mapping, alternate_emails: chosen.toSpliced(at, 1, ...(value ? [value] : [])) });
  const slots = chosen.length < ALTERNATES_MAX ? [...chosen, ""] : chosen;
  const wrong = problem?.faultBelow?.("/mapping/alternate_emails");
  return html`<div class="map">
    <div>${slots.map((value, at) => html`<${Columns} key=${at} id=${at === 0 ? id : undefined} aria-label=${fieldName("alternate_emails")}
        value=${value} columns=${columns} none=${t("mapping.not_sent")} onInput=${(column) => set(at, column)} />`)}
      ${wrong && html`<p class="field-error">${wrong}</p>`}
    </div>
    <div><label for=${id}><strong>${fieldName("alternate_emails")}</strong></label>
      <p class="hint">${t("mapping.alternates", { most: ALTERNATES_MAX })}</p></div>
  </div>`;
}
