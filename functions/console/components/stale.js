// Somebody else has saved what is being edited: who, when, and what is different now.
import { html, useEffect, useRef } from "../html.js";
import { useResource } from "../hooks.js";
import { list, t } from "../i18n.js";
import { ErrorBox } from "./error.js";
import { Spinner } from "./spinner.js";
import { Time } from "./time.js";

const differ = (one, other) => JSON.stringify(one ?? null) !== JSON.stringify(other ?? null);

// `base` is what was read, `fields` what is compared, and nameOf(field) its words.
// onTake shows theirs; onKeep({data, etag}) keeps what is written here, to be saved over theirs.
export function Stale({ path, base, fields, nameOf, onTake, onKeep }) {
  const { data, etag, problem, reload } = useResource(path);
  const told = useRef(null);
  useEffect(() => told.current?.focus(), [data]);
  if (problem) return html`<${ErrorBox} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Spinner} />`;
  const changed = fields.filter((each) => differ(data[each], base[each])).map(nameOf);
  return html`<div class="box box-warning" role="alert" tabindex="-1" ref=${told}>
    <p><strong>${t("stale.title", { name: data.updated_by.name })}</strong> <${Time} at=${data.updated_at} ago /></p>
    <p>${changed.length ? t("stale.changed", { fields: list(changed) }) : t("stale.unchanged")}</p>
    <p class="row">
      <button type="button" class="main" onClick=${onTake}>${t("stale.take")}</button>
      <button type="button" onClick=${() => onKeep({ data, etag })}>${t("stale.keep")}</button>
    </p>
  </div>`;
}
