// The API key: straight into Key Vault, where the app may write that one secret; else by a command.
import { path, put } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { Form, TextField } from "../components/form.js";
import { announce } from "../components/live.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { ManualKey } from "./manual-key.js";

export const writeKey = (id, key) => put(path("connections", id, "key"), { api_key: key.trim() });

export function KeyField({ value, onInput, problem, ...rest }) {
  return html`<${TextField} label=${t("key.label")} hint=${t("key.hint")} type="password" autocomplete="off"
    spellcheck=${false} value=${value} onInput=${onInput} problem=${problem} pointer="/api_key" ...${rest} />`;
}

export function Key({ connection }) {
  const [key, setKey] = useState("");
  const [isWritten, setWritten] = useState(false);
  const { act, busy, problem } = useAction(async () => {
    setWritten(false);
    try {
      await writeKey(connection.id, key);
      setWritten(true);
      announce(t("key.written"));
    } finally {
      setKey("");
    }
  });
  return html`<section>
    <h2>${t("key.title")}</h2>
    <p class="quiet">${t("key.text", { secret: connection.secret_name })}</p>
    ${isWritten && html`<p class="box box-good">${t("key.written")}</p>`}
    ${problem?.status === 409 ? html`<${ManualKey} problem=${problem} />` : html`
      <${ErrorBox} problem=${problem} />
      <${Form} class="narrow" onSubmit=${act} busy=${busy || !key.trim()} problem=${problem} submit=${t("key.write")}>
        <${KeyField} value=${key} onInput=${setKey} problem=${problem} />
      <//>`}
  </section>`;
}
