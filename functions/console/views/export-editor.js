// Makes or changes an export. Saving it runs nothing.
import { get, path, put } from "../api.js";
import { ErrorBox, Notice } from "../components/error.js";
import { Form, SelectField, TextField } from "../components/form.js";
import { IdField, idOf, requireId } from "../components/id-field.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Stale } from "../components/stale.js";
import { useColumns } from "../editor/columns.js";
import { blank, suggested } from "../editor/draft.js";
import { ListChoice } from "../editor/list.js";
import { fieldName, Mapping } from "../editor/mapping.js";
import { Modes } from "../editor/modes.js";
import { handOver, Outcome, takeOver } from "../editor/outcome.js";
import { ScheduleChoice } from "../editor/schedule.js";
import { Segments } from "../editor/segments.js";
import { useVerdicts } from "../editor/verdicts.js";
import { useAction, useAll, useResource } from "../hooks.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { go, href } from "../router.js";
import { may } from "../session.js";

const COMPARED = [
  "name", "connection", "list_id", "segments", "mapping", "schedule", "changes", "resend_every", "leavers",
  "after_missing_runs", "max_removals", "max_contacts", "overlap", "enabled", "source",
];

export default function ExportEditor({ id, query }) {
  const found = useResource(id ? path("exports", id) : null);
  const title = id ? t("export_editor.title_of", { name: found.data?.name ?? id }) : t("export_editor.new");
  const crumbs = [[t("nav.overview"), href([])], ...(id ? [[found.data?.name ?? id, href(["exports", id])]] : [])];
  const isAllowed = may("put_export");
  return html`<${Page} title=${title} crumbs=${crumbs}>
    ${!isAllowed && html`<${ErrorBox} problem=${{ status: 403 }} />`}
    <${ErrorBox} problem=${found.problem} retry=${found.reload} />
    ${found.loading && !found.data && html`<${Spinner} />`}
    ${isAllowed && (!id || found.data) && html`<${Editor} saved=${found.data} etag=${found.etag} wanted=${query.connection}
      onSaved=${found.reload} />`}
  <//>`;
}

function Editor({ saved, etag, wanted, onSaved }) {
  const [draft, setDraft] = useState(saved ?? { ...blank(), connection: wanted ?? "" });
  const [id, setId] = useState("");
  const [version, setVersion] = useState({ etag, of: saved });
  const [outcome, setOutcome] = useState(() => saved && takeOver(saved.id));
  const set = (name) => (value) => setDraft((before) => ({ ...before, [name]: value }));
  const name = saved?.id ?? (id || idOf(draft.name));

  const connections = useResource("/api/connections");
  const exports = useAll("/api/exports", "exports");
  const segments = useResource("/api/segments");
  const fields = useResource(draft.connection ? path("connections", draft.connection, "fields") : null);
  const columns = useColumns(segments.data?.segments, draft.segments);
  const tried = useVerdicts(draft, fields.data);
  const own = useSuggestions({ isNew: !saved, draft, columns, fields: fields.data, set: set("mapping") });
  useEffect(() => {
    const only = connections.data?.connections;
    if (!saved && !draft.connection && only?.length === 1) set("connection")(only[0].id);
  }, [connections.data]);

  const save = useAction(async (_key, changes = {}) => {
    requireId(name);
    const connection = draft.connection || (saved?.connection === null ? null : "");
    const body = { ...draft, connection, ...changes };
    const kept = await put(path("exports", name), body, version.etag ? { etag: version.etag } : { create: true });
    if (!saved) {
      handOver(kept.data);
      return go(["exports", name, "edit"]);
    }
    onSaved();
    return renew(kept.data, kept.etag, kept.data);
  });
  const renew = (data, now, told = null) => {
    setDraft(data);
    setVersion({ etag: now, of: data });
    setOutcome(told);
    save.clear();
  };
  const take = async () => {
    const now = await get(path("exports", name));
    renew(now.data, now.etag);
  };
  const keep = ({ data, etag: now }) => {
    setVersion({ etag: now, of: data });
    save.clear();
  };

  const { problem } = save;
  const isStale = Boolean(saved) && problem?.status === 412;
  const others = (exports.items ?? []).filter((each) => each.list_id === draft.list_id && each.id !== name);
  return html`${outcome && html`<${Outcome} view=${outcome} etag=${version.etag}
      onChanged=${(data, now) => renew(data, now, data)} />`}
    <${Form} class="form" problem=${problem} kept=${version.etag} onSubmit=${() => save.act(saved ? {} : { enabled: false })}>
      ${isStale && html`<${Stale} path=${path("exports", name)} base=${version.of} fields=${COMPARED}
        nameOf=${(field) => t(`export_editor.field.${field}`)} onTake=${take} onKeep=${keep} />`}
      ${problem && !isStale && html`<${ErrorBox} problem=${problem} />`}
      <div class="column">
        ${version.of?.connection === null && html`<${Notice} code="export_detached">${t("export_editor.detached")}<//>`}
        <${TextField} label=${t("export_editor.name")} value=${draft.name} onInput=${set("name")} problem=${problem} pointer="/name"
          required maxlength="100" />
        ${!saved && html`<${IdField} value=${name} onInput=${setId} problem=${problem} />`}
        <${ConnectionChoice} connections=${connections} value=${draft.connection} onInput=${set("connection")} problem=${problem} />
        <${ListChoice} connection=${draft.connection} value=${draft.list_id} onInput=${set("list_id")} problem=${problem}
          others=${others.map((each) => each.name)} />
        <${Segments} segments=${segments} chosen=${draft.segments} source=${draft.source} onInput=${set("segments")} problem=${problem} />
      </div>
      <${Mapping} mapping=${draft.mapping} columns=${columns} fields=${fields.data} tried=${tried}
        onInput=${own} problem=${problem} />
      <${ErrorBox} problem=${fields.problem} retry=${fields.reload} />
      <${ScheduleChoice} key=${version.etag} schedule=${draft.schedule} onInput=${set("schedule")} settle=${draft.source.settle}
        onSettle=${(settle) => set("source")({ ...draft.source, settle })} problem=${problem} />
      <${Modes} draft=${draft} set=${set} problem=${problem} />
      <${Buttons} saved=${version.of} busy=${save.busy} onSave=${save.act} />
    <//>`;
}

// Until somebody has chosen a column themselves, a new export gets those whose names say what they are.
function useSuggestions({ isNew, draft, columns, fields, set }) {
  const isOwn = useRef(!isNew);
  const names = columns.map((each) => each.name);
  useEffect(() => {
    if (isOwn.current || !names.length) return;
    const custom = (fields?.custom ?? []).map((each) => each.name);
    set(suggested(draft.mapping, { columns: names, custom, words: fieldName }));
  }, [names.join("\n"), fields]);
  return (mapping) => {
    isOwn.current = true;
    set(mapping);
  };
}

function ConnectionChoice({ connections, value, onInput, problem }) {
  const found = connections.data?.connections ?? [];
  const isForeign = value && connections.data && !found.some((each) => each.id === value);
  const options = [
    ["", t("export_editor.choose_connection")],
    ...(isForeign ? [[value, value]] : []),
    ...found.map((each) => [each.id, each.display_name]),
  ];
  return html`<${ErrorBox} problem=${connections.problem} retry=${connections.reload} />
    <${SelectField} label=${t("export_editor.connection")} value=${value ?? ""} options=${options} onInput=${onInput}
      problem=${problem} pointer="/connection"
      hint=${connections.data && !found.length ? t("connections.none_shared") : null} />`;
}

// A new export, and one that is disabled, may be tried before it runs by itself.
function Buttons({ saved, busy, onSave }) {
  const isQuiet = !saved?.enabled;
  return html`<div class="save-bar">
    <p class="hint">${isQuiet ? t("export_editor.save_hint_disabled") : t("export_editor.save_hint")}</p>
    <p class="row">
      <button class="main" disabled=${busy}>${saved ? t("common.save") : t("export_editor.save_first")}</button>
      ${isQuiet && html`<button type="button" disabled=${busy} onClick=${() => onSave({ enabled: true })}
        >${t("export_editor.save_enabled")}</button>`}
    </p>
  </div>`;
}
