// Who are you? By a key, which stays in memory, or by Microsoft Entra ID.
import { get } from "../api.js";
import { ErrorBox } from "../components/error.js";
import { Form, TextField } from "../components/form.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { useAction, useResource } from "../hooks.js";
import { html, useEffect, useState } from "../html.js";
import { t } from "../i18n.js";
import { lose, session, setCredentials, setWay, welcome } from "../session.js";

async function enter() {
  try {
    welcome((await get("/api/me")).data);
  } catch (problem) {
    lose();
    throw problem;
  }
}

export default function SignIn() {
  const { data, problem, reload } = useResource(session().way ? null : "/api/sign-in");
  useEffect(() => {
    if (data) setWay(data);
  }, [data]);
  const { way } = session();
  return html`<${Page} title=${t("sign_in.title")}>
    <div class="narrow">
      ${session().isLost && html`<p class="box box-warning" role="alert">${t("sign_in.lost")}</p>`}
      <${ErrorBox} problem=${problem} retry=${reload} />
      ${!way && !problem && html`<${Spinner} />`}
      ${way?.authentication === "keys" && html`<${ByKey} />`}
      ${way?.authentication === "entra" && html`<${ByEntra} way=${way} />`}
    </div>
  <//>`;
}

function ByKey() {
  const [key, setKey] = useState("");
  const { act, busy, problem } = useAction(async () => {
    const headers = { "x-functions-key": key.trim() };
    setCredentials(async () => headers);
    await enter();
  });
  const wrong = problem?.status === 401 ? t("sign_in.wrong_key") : null;
  return html`<${Form} onSubmit=${act} busy=${busy || !key.trim()} problem=${problem} submit=${t("sign_in.submit")}>
    <p>${t("sign_in.by_key")}</p>
    <${TextField} label=${t("sign_in.key")} hint=${t("sign_in.key_hint")} type="password" autocomplete="off"
      spellcheck=${false} value=${key} onInput=${setKey} error=${wrong} />
    ${problem && !wrong && html`<${ErrorBox} problem=${problem} />`}
  <//>`;
}

function ByEntra({ way }) {
  const start = async () => {
    const { startSignIn } = await import("../entra.js");
    await startSignIn(way);
  };
  const { act, busy, problem } = useAction(start);
  const back = useAction(async () => {
    const { finishSignIn } = await import("../entra.js");
    const found = await finishSignIn(way);
    if (!found) return;
    setCredentials(found.credentials, found.leave);
    await enter();
  });
  useEffect(() => {
    back.act();
  }, []);
  if (back.busy) return html`<${Spinner} />`;
  return html`<p>${t("sign_in.by_entra")}</p>
    <${ErrorBox} problem=${problem ?? back.problem} />
    <p><button type="button" class="main" disabled=${busy} onClick=${act}>${t("sign_in.entra_submit")}</button></p>`;
}
