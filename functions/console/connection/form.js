// The form of a connection, new or saved before.
import { get, path, put } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { CheckField, Form, RadioField, SelectField, TextArea, TextField } from "../components/form.js";
import { IdField, idOf, requireId } from "../components/id-field.js";
import { Stale } from "../components/stale.js";
import { Time } from "../components/time.js";
import { useAction, useResource } from "../hooks.js";
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { may } from "../session.js";

const FIELDS = ["display_name", "users", "segments", "region", "secret_name", "contact_limit", "consent"];
const REGIONS = ["global", "eu"];

const blank = () => ({
  display_name: "",
  secret_name: "",
  region: "global",
  contact_limit: null,
  users: [],
  segments: null,
  consent: null,
});

const textOf = (consent) => ({ text: consent?.text ?? t("connection.consent_default"), version: consent?.version ?? "1" });

export function ConnectionForm({ saved = null, etag = null, onSaved, onCancel = null }) {
  const [draft, setDraft] = useState(saved ?? blank());
  const [id, setId] = useState(saved?.id ?? "");
  const [consent, setConsent] = useState(textOf(saved?.consent));
  const [agreed, setAgreed] = useState(Boolean(saved?.consent));
  const [version, setVersion] = useState({ etag, of: saved });
  const set = (name) => (value) => setDraft((before) => ({ ...before, [name]: value }));
  const name = id || idOf(draft.display_name);
  const secret = draft.secret_name || (saved || !name ? "" : `sendgrid-${name}`);

  const save = useAction(async () => {
    requireId(name);
    const body = { ...draft, secret_name: secret, consent: agreed ? consent : null };
    await put(path("connections", name), body, version.etag ? { etag: version.etag } : { create: true });
    onSaved(name);
  });

  const { problem } = save;
  const isStale = problem?.status === 412 && Boolean(version.of);
  const fields = { problem };
  return html`<${Form} class="form column" onSubmit=${save.act} busy=${save.busy} problem=${problem} kept=${version.etag}>
    ${isStale && html`<${Stale} path=${path("connections", name)} base=${version.of} fields=${FIELDS}
      nameOf=${(field) => t(`connection.field.${field}`)} onTake=${take} onKeep=${keep} />`}
    ${problem && !isStale && html`<${ErrorBox} problem=${problem} />`}
    <${TextField} label=${t("connection.display_name")} hint=${t("connection.display_name_hint")} required
      value=${draft.display_name} onInput=${set("display_name")} pointer="/display_name" maxlength="100" ...${fields} />
    ${!saved && html`<${IdField} value=${name} onInput=${setId} ...${fields} />`}
    <${Lines} label=${t("connection.users")} hint=${t("connection.users_hint")} optional value=${draft.users}
      onInput=${set("users")} pointer="/users" ...${fields} />
    <${Segments} value=${draft.segments} onInput=${set("segments")} ...${fields} />
    <${SelectField} label=${t("connection.region")} hint=${t("connection.region_hint")} value=${draft.region}
      onInput=${set("region")} options=${REGIONS.map((each) => [each, t(`region.${each}`)])} pointer="/region" ...${fields} />
    <${TextField} label=${t("connection.secret_name")} hint=${t("connection.secret_name_hint")} value=${secret} required
      onInput=${set("secret_name")} pointer="/secret_name" spellcheck=${false} autocomplete="off" ...${fields} />
    <${TextField} label=${t("connection.contact_limit")} hint=${t("connection.contact_limit_hint")} optional
      type="number" min="1" step="1" value=${draft.contact_limit ?? ""}
      onInput=${(value) => set("contact_limit")(value === "" ? null : Number(value))} pointer="/contact_limit" ...${fields} />
    <${Privacy} consent=${consent} given=${version.of?.consent} agreed=${agreed} onText=${(text) => {
      setConsent(text);
      setAgreed(false);
    }} onAgree=${setAgreed} ...${fields} />
    <p class="row">
      <button class="main" disabled=${save.busy}>${saved ? t("common.save") : t("connection.connect")}</button>
      ${onCancel && html`<button type="button" onClick=${onCancel}>${t("common.cancel")}</button>`}
    </p>
  <//>`;

  async function take() {
    const now = await get(path("connections", name));
    setDraft(now.data);
    setConsent(textOf(now.data.consent));
    setAgreed(Boolean(now.data.consent));
    setVersion({ etag: now.etag, of: now.data });
    save.clear();
  }

  function keep(now) {
    setVersion({ etag: now.etag, of: now.data });
    save.clear();
  }
}

// Names, one a line. What is wrong with one of them is told below.
function Lines({ value, onInput, problem, pointer, ...rest }) {
  const [text, setText] = useState(value.join("\n"));
  const change = (written) => {
    setText(written);
    onInput(written.split("\n").map((each) => each.trim()).filter(Boolean));
  };
  return html`<${TextArea} rows="3" spellcheck=${false} value=${text} onInput=${change}
    error=${problem?.faultBelow?.(pointer)} ...${rest} />`;
}

// Which segments may go through the connection: all there are, or some of them.
function Segments({ value, onInput, problem }) {
  const found = useResource(may("list_segments") ? "/api/segments" : null);
  const names = [...new Set([...(found.data?.segments ?? []).map((each) => each.segment), ...(value ?? [])])].sort();
  const isChosen = value !== null;
  const toggle = (name) => (wanted) => onInput(wanted ? [...value, name] : value.filter((each) => each !== name));
  const choices = [
    ["all", t("connection.segments_all"), t("connection.segments_all_hint")],
    ["some", t("connection.segments_some"), t("connection.segments_some_hint")],
  ];
  return html`<${RadioField} legend=${t("connection.segments")} value=${isChosen ? "some" : "all"} options=${choices}
      onInput=${(choice) => onInput(choice === "all" ? null : (value ?? []))} />
    ${isChosen && html`<fieldset class="field inset">
      <legend class="unseen">${t("connection.segments_some")}</legend>
      ${names.map((name) => html`<${CheckField} label=${name} checked=${value.includes(name)} onInput=${toggle(name)} />`)}
      ${found.data && !names.length && html`<p class="quiet">${t("connection.segments_not_found")}</p>`}
      <${ErrorBox} problem=${found.problem} retry=${found.reload} />
      ${problem?.faultBelow?.("/segments") && html`<p class="field-error">${problem.faultBelow("/segments")}</p>`}
    </fieldset>`}`;
}

// The text that is agreed to, and the agreement. Another text is agreed to anew.
function Privacy({ consent, given, agreed, onText, onAgree, problem }) {
  const [isEdited, setEdited] = useState(Boolean(problem?.faultBelow?.("/consent")));
  const isSame = given && given.text === consent.text && given.version === consent.version;
  const change = (name) => (value) => onText({ ...consent, [name]: value });
  return html`<fieldset class="field card">
    <legend>${t("connection.privacy")}</legend>
    ${isEdited ? html`
      <${TextArea} label=${t("connection.consent_text")} rows="6" value=${consent.text} onInput=${change("text")}
        problem=${problem} pointer="/consent/text" />
      <${TextField} label=${t("connection.consent_version")} hint=${t("connection.consent_version_hint")}
        value=${consent.version} onInput=${change("version")} problem=${problem} pointer="/consent/version" />`
    : html`<blockquote>${consent.text}</blockquote>
      <p class="row"><span class="quiet">${t("connection.consent_is_version", { version: consent.version })}</span>
        <button type="button" class="link" onClick=${() => setEdited(true)}>${t("connection.consent_change")}</button></p>`}
    <${CheckField} label=${t("connection.agree")} checked=${agreed} onInput=${onAgree} hint=${hintOf(given, isSame, agreed)} />
    ${isSame && agreed && html`<p class="quiet">${t("connection.consent_by", { name: given.given_by.name, version: given.version })}
      ${" "}<${Time} at=${given.given_at} /></p>`}
  </fieldset>`;
}

function hintOf(given, isSame, agreed) {
  if (agreed) return isSame ? null : t("connection.agree_now");
  return t(given ? "connection.agree_withdrawn" : "connection.agree_needed");
}
