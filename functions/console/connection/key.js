// The API key: straight into Key Vault, where the app may write that one secret; else by a command.
import { path, put } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { Field, Form } from "../components/form.js";
import { announce } from "../components/live.js";
import { Spinner } from "../components/spinner.js";
import { useAction } from "../hooks.js";
import { html, useRef, useState } from "../html.js";
import { t } from "../i18n.js";

export function Key({ connection, onStored }) {
  return html`<section>
    <h2>${t("key.title")}</h2>
    ${connection.key_command
      ? html`<${Command} command=${connection.key_command} secret=${connection.secret_name} />`
      : html`<${Entered} connection=${connection} onStored=${onStored} />`}
  </section>`;
}

// The key is in the field and in the request, and in no state: it leaves the field as it is sent.
function Entered({ connection, onStored }) {
  const field = useRef(null);
  const [isStored, setStored] = useState(false);
  const { act, busy, problem } = useAction(async () => {
    const key = field.current.value;
    field.current.value = "";
    setStored(false);
    await put(path("connections", connection.id, "key"), { key });
    setStored(true);
    announce(t("key.stored"));
    onStored();
  });
  const input = (attributes) =>
    html`<input type="password" ref=${field} autocomplete="off" spellcheck=${false} disabled=${busy} ...${attributes} />`;
  return html`<p class="quiet">${t("key.text", { secret: connection.secret_name })}</p>
    ${problem && html`<${ErrorBox} problem=${problem} />`}
    ${isStored && html`<p class="box box-good">${t("key.stored")}</p>`}
    ${busy && html`<${Spinner} label=${t("check.busy")} />`}
    <${Form} class="form narrow" onSubmit=${act} busy=${busy} problem=${problem} submit=${t("key.act")}>
      <${Field} label=${t("key.label")} hint=${t("key.hint")} error=${problem?.fault?.("/key")} control=${input} />
    <//>`;
}

function Command({ command, secret }) {
  const shown = useRef(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      announce(t("key.copied"));
    } catch {
      getSelection().selectAllChildren(shown.current); // where a page may not copy, it is ready to be
    }
  };
  return html`<p>${t("key.command_text", { secret })}</p>
    <pre tabindex="0"><code ref=${shown}>${command}</code></pre>
    <p><button type="button" onClick=${copy}>${t("key.copy")}</button></p>`;
}
