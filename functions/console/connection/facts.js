// What is set of a connection, as far as one is told.
import { Notice } from "../components/error.js";
import { Time } from "../components/time.js";
import { html } from "../html.js";
import { list, number, t } from "../i18n.js";

export function Facts({ connection }) {
  if (!("secret_name" in connection)) {
    return html`<dl class="facts">
      <dt>${t("connections.type")}</dt><dd>${connection.type}</dd>
    </dl>`;
  }
  return html`${!connection.consent && html`<${Notice} code="consent_missing">${t("connection.consent_none")}<//>`}
    <dl class="facts">
      <dt>${t("connections.type")}</dt><dd>${connection.type}, ${t(`region.${connection.region}`)}</dd>
      <dt>${t("connection.users")}</dt><dd>${named(connection.users, t("connection.users_none"))}</dd>
      <dt>${t("connection.segments")}</dt><dd>${segments(connection)}</dd>
      <dt>${t("connection.secret_name")}</dt><dd><code>${connection.secret_name}</code></dd>
      <dt>${t("connection.contact_limit")}</dt>
      <dd>${connection.contact_limit ? number(connection.contact_limit) : t("connection.contact_limit_none")}</dd>
      ${connection.consent && html`<dt>${t("connection.privacy")}</dt><dd><${Consent} consent=${connection.consent} /></dd>`}
      <dt>${t("connections.changed")}</dt>
      <dd><${Time} at=${connection.updated_at} />, ${connection.updated_by.name}</dd>
    </dl>`;
}

const named = (names, none) => (names.length ? list(names) : none);

const segments = (connection) =>
  connection.segments === null ? t("connection.segments_all") : named(connection.segments, t("connection.segments_none"));

// Who has agreed to what, and when.
export function Consent({ consent }) {
  return html`<p>${t("connection.consent_by", { name: consent.given_by.name, version: consent.version })}
      ${" "}<${Time} at=${consent.given_at} /></p>
    <details><summary>${t("connection.consent_text")}</summary><blockquote>${consent.text}</blockquote></details>`;
}
