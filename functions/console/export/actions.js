// What can be done with an export, for whom may do it.
import { patch, path, post, remove } from "../api.js";
import { Confirm, Dialog } from "../components/dialog.js";
import { ErrorBox } from "../components/error.js";
import { CheckField, Form, TextField } from "../components/form.js";
import { useAction } from "../hooks.js";
import { html, useState } from "../html.js";
import { t } from "../i18n.js";
import { go, href } from "../router.js";
import { isAdministrator, may } from "../session.js";

export function Actions({ saved, etag, reload }) {
  return html`${may("start_run") && saved.connection && html`<${Run} saved=${saved} />`}
    ${may("plan_export") && saved.connection && html`<${Start} saved=${saved} step="plan" label=${t("export.plan")} />`}
    ${may("put_export") && html`<a class="button" href=${href(["exports", saved.id, "edit"])}>${t("export.edit")}</a>`}
    ${may("patch_export") && html`<${Switch} saved=${saved} etag=${etag} reload=${reload} />`}`;
}

// What is done rarely, below everything else.
export function MoreActions({ saved, etag, reload }) {
  const offered = [
    may("duplicate_export") && html`<${Duplicate} saved=${saved} />`,
    may("adopt_list") && saved.connection && html`<${Adopt} saved=${saved} />`,
    isAdministrator() && saved.connection && html`<${Detach} saved=${saved} etag=${etag} reload=${reload} />`,
    may("delete_export") && html`<${Delete} saved=${saved} etag=${etag} />`,
  ].filter(Boolean);
  if (!offered.length) return null;
  return html`<section>
    <h2>${t("export.more")}</h2>
    <div class="row">${offered}</div>
  </section>`;
}

const goToRun = (saved, run) => go(["exports", saved.id, "runs", run.id]);

// A button that starts something, and goes to its run.
function Start({ saved, step, label }) {
  const { act, busy, problem } = useAction(async (key) => {
    const { data } = await post(path("exports", saved.id, step), undefined, { key });
    goToRun(saved, data);
  });
  return html`<button type="button" disabled=${busy} onClick=${() => act()}>${label}</button>
    <${ErrorBox} problem=${problem} />`;
}

function Run({ saved }) {
  const [open, setOpen] = useState(false);
  const [force, setForce] = useState(false);
  const { act, busy, problem, clear } = useAction(async (key) => {
    const { data } = await post(path("exports", saved.id, "runs"), { force }, { key });
    goToRun(saved, data);
  });
  const close = () => {
    setOpen(false);
    clear();
  };
  return html`<button type="button" class="main" onClick=${() => setOpen(true)}>${t("export.run")}</button>
    <${Confirm} open=${open} title=${t("export.run_title")} action=${t("export.run")} busy=${busy} problem=${problem}
      onYes=${() => act()} onClose=${close}>
      <p>${t("export.run_meaning")}</p>
      <${CheckField} label=${t("export.force")} hint=${t("export.force_hint")} checked=${force} onInput=${setForce} />
    <//>`;
}

function Switch({ saved, etag, reload }) {
  const { act, busy, problem } = useAction(async () => {
    await patch(path("exports", saved.id), { enabled: !saved.enabled }, { etag, query: { check: false } });
    reload();
  });
  return html`<button type="button" disabled=${busy} onClick=${() => act()}>
      ${saved.enabled ? t("export.disable") : t("export.enable")}
    </button>
    <${ErrorBox} problem=${problem} retry=${problem?.status === 412 ? reload : null} />`;
}

// A button that asks before it does what cannot be taken back as easily; words are `<name>`, `<name>_title`, `<name>_meaning`.
function Asked({ words, danger = false, work }) {
  const [open, setOpen] = useState(false);
  const { act, busy, problem, clear } = useAction(async (key) => {
    await work(key);
    setOpen(false);
  });
  const close = () => {
    setOpen(false);
    clear();
  };
  return html`<div>
    <button type="button" class=${danger ? "danger" : ""} onClick=${() => setOpen(true)}>${words.action}</button>
    <${Confirm} open=${open} title=${words.title} action=${words.action} danger=${danger} busy=${busy} problem=${problem}
      onYes=${() => act()} onClose=${close}>
      <p>${words.meaning}</p>
    <//>
  </div>`;
}

function Adopt({ saved }) {
  const words = { action: t("adopt.action"), title: t("adopt.title"), meaning: t("adopt.meaning") };
  const work = async (key) => {
    const { data } = await post(path("exports", saved.id, "adopt"), undefined, { key });
    goToRun(saved, data);
  };
  return html`<${Asked} words=${words} work=${work} />`;
}

function Detach({ saved, etag, reload }) {
  const words = { action: t("detach.action"), title: t("detach.title"), meaning: t("detach.meaning") };
  const work = async () => {
    await patch(path("exports", saved.id), { connection: null }, { etag, query: { check: false } });
    reload();
  };
  return html`<${Asked} words=${words} danger work=${work} />`;
}

function Delete({ saved, etag }) {
  const words = { action: t("delete.action"), title: t("delete.title", { name: saved.name }), meaning: t("delete.meaning") };
  const work = async () => {
    await remove(path("exports", saved.id), { etag });
    go([]);
  };
  return html`<${Asked} words=${words} danger work=${work} />`;
}

function Duplicate({ saved }) {
  const [open, setOpen] = useState(false);
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const { act, busy, problem, clear } = useAction(async () => {
    await post(path("exports", saved.id, "duplicate"), { id, name: name || null });
    go(["exports", id]);
  });
  const close = () => {
    setOpen(false);
    clear();
  };
  return html`<div>
    <button type="button" onClick=${() => setOpen(true)}>${t("duplicate.action")}</button>
    <${Dialog} open=${open} title=${t("duplicate.title")} onClose=${close}>
      <p>${t("duplicate.meaning")}</p>
      <${ErrorBox} problem=${problem} />
      <${Form} onSubmit=${() => act()} problem=${problem} busy=${busy} submit=${t("duplicate.action")}>
        <${TextField} label=${t("duplicate.id")} hint=${t("duplicate.id_hint")} value=${id} onInput=${setId}
          problem=${problem} pointer="/id" spellcheck=${false} autocomplete="off" />
        <${TextField} label=${t("duplicate.name")} optional value=${name} onInput=${setName} problem=${problem}
          pointer="/name" autocomplete="off" />
      <//>
    <//>
  </div>`;
}
