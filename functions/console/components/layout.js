// What stands around every view: where one may go, in which language and colours, and who one is.
import { html, useState } from "../html.js";
import { chooseLanguage, currentLanguage, LANGUAGES, languageName, t } from "../i18n.js";
import { prefer, SCHEMES, scheme, showScheme } from "../preferences.js";
import { href } from "../router.js";
import { may, session, signOut } from "../session.js";
import { LiveRegion } from "./live.js";

// Where to go: name of its words, first part of the address, operation one needs to see it.
const PLACES = [
  ["nav.overview", [], "list_exports"],
  ["nav.connections", ["connections"], "list_connections"],
  ["nav.audit", ["audit"], "get_audit"],
];

export function Layout({ path, onLanguage, children }) {
  const { me: known, isLost } = session();
  const me = isLost ? null : known;
  return html`<a class="skip" href="#main" onClick=${toMain}>${t("nav.skip")}</a>
    <header class="top">
      <a class="brand" href=${href([])}>${t("common.product")}</a>
      ${me && html`<${Places} path=${path} />`}
      <div class="row top-end">
        <${SchemeChoice} />
        <${LanguageChoice} onLanguage=${onLanguage} />
        ${me && html`<${Account} me=${me} />`}
      </div>
    </header>
    <main id="main" tabindex="-1">${children}</main>
    <${LiveRegion} />`;
}

function toMain(event) {
  event.preventDefault(); // the address stays that of the view
  document.getElementById("main").focus();
}

function Places({ path }) {
  const first = path.split("/")[1] ?? "";
  const isHere = ([part = ""]) => part === first || (part === "" && first === "exports");
  return html`<nav aria-label=${t("nav.main")}>
    <ul class="places">
      ${PLACES.filter(([, , operation]) => may(operation)).map(
        ([words, parts]) => html`<li>
          <a href=${href(parts)} aria-current=${isHere(parts) ? "page" : undefined}>${t(words)}</a>
        </li>`,
      )}
    </ul>
  </nav>`;
}

function SchemeChoice() {
  const [chosen, setChosen] = useState(scheme());
  const choose = (event) => {
    prefer("scheme", event.target.value === "auto" ? null : event.target.value);
    showScheme();
    setChosen(scheme());
  };
  return html`<select class="quiet-select" aria-label=${t("nav.scheme")} value=${chosen} onChange=${choose}>
    ${SCHEMES.map((each) => html`<option value=${each} selected=${each === chosen}>${t(`scheme.${each}`)}</option>`)}
  </select>`;
}

function LanguageChoice({ onLanguage }) {
  const choose = async (event) => {
    await chooseLanguage(event.target.value);
    onLanguage();
  };
  const now = currentLanguage();
  return html`<select class="quiet-select" aria-label=${t("nav.language")} value=${now} onChange=${choose}>
    ${LANGUAGES.map(
      (each) => html`<option value=${each} lang=${each} selected=${each === now}>${languageName(each)}</option>`,
    )}
  </select>`;
}

function Account({ me }) {
  const roles = me.roles.map((role) => t(`role.${role}`)).join(", ");
  return html`<span class="account" title=${me.id}>${me.name} <span class="quiet">${roles}</span></span>
    <button type="button" onClick=${() => signOut()}>${t("nav.sign_out")}</button>`;
}
