// The SendGrid accounts that one may use; an administrator sees of each what is set, too.
import { Badge } from "../components/badge.js";
import { ErrorBox } from "../components/error.js";
import { Page } from "../components/page.js";
import { Spinner } from "../components/spinner.js";
import { Table } from "../components/table.js";
import { Time } from "../components/time.js";
import { useAll, useResource } from "../hooks.js";
import { html } from "../html.js";
import { list, t } from "../i18n.js";
import { href } from "../router.js";
import { may } from "../session.js";

const NAMES_SHOWN = 3;

export default function Connections() {
  const { data, problem, loading, reload } = useResource("/api/connections");
  const exports = useAll(may("list_exports") ? "/api/exports" : null, "exports");
  const rows = data?.connections ?? [];
  const add = may("put_connection")
    && html`<a class="button main" href=${href(["connections", "new"])}>${t("connections.add")}</a>`;
  return html`<${Page} title=${t("connections.title")} actions=${rows.length > 0 && add}>
    <${ErrorBox} problem=${problem} retry=${reload} />
    ${!data && loading && html`<${Spinner} />`}
    ${data && rows.length === 0 && html`<${Empty} add=${add} />`}
    ${rows.length > 0 &&
    html`<${Table} caption=${t("connections.title")} columns=${columns(rows, exports.items)} rows=${rows} />`}
  <//>`;
}

function Empty({ add }) {
  return html`<section class="empty">
    <h2>${t("connections.empty_title")}</h2>
    <p>${add ? t("connections.empty_text") : t("connections.none_shared")}</p>
    ${add && html`<p>${add}</p>`}
  </section>`;
}

// Whoever does not administer connections sees of them their names only.
const isWhole = (connection) => "secret_name" in connection;

function columns(rows, exports) {
  const whole = rows.every(isWhole) && [
    { title: t("connections.users"), cell: (each) => html`<${Users} connection=${each} />` },
    { title: t("connections.consent"), cell: (each) => html`<${Consent} connection=${each} />` },
    { title: t("connections.changed"), cell: (each) => html`<${Changed} connection=${each} />` },
  ];
  return [
    { title: t("connections.name"), cell: (each) => html`<${Name} connection=${each} />` },
    { title: t("connections.type"), cell: (each) => each.type },
    ...(whole || []),
    { title: t("connections.exports"), numeric: true, cell: (each) => html`<${Uses} id=${each.id} exports=${exports} />` },
  ];
}

function Name({ connection }) {
  return html`<a href=${href(["connections", connection.id])}>${connection.display_name}</a>
    <div class="quiet">${connection.id}</div>`;
}

function Users({ connection: { users } }) {
  if (!users.length) return html`<span class="quiet">${t("connections.administrators")}</span>`;
  const more = users.length - NAMES_SHOWN;
  const shown = users.slice(0, NAMES_SHOWN);
  return list(more > 0 ? [...shown, t("connections.more_users", { count: more })] : shown);
}

function Consent({ connection: { consent } }) {
  if (!consent) return html`<${Badge} tone="warning">${t("connections.no_consent")}<//>`;
  return html`<${Badge} tone="good">${t("connections.agreed")}<//>
    <div class="quiet">${consent.given_by.name}, <${Time} at=${consent.given_at} /></div>`;
}

function Changed({ connection }) {
  return html`<${Time} at=${connection.updated_at} /><div class="quiet">${connection.updated_by.name}</div>`;
}

const Uses = ({ id, exports }) => (exports ? exports.filter((each) => each.connection === id).length : "");
