// What an export is, in words.
import { html } from "../html.js";
import { known, list, number, percent, t } from "../i18n.js";
import { href } from "../router.js";

// How an export is started.
export function scheduleWords(schedule) {
  const key = `schedule.${schedule.kind}`;
  return known(key) ? t(key, schedule) : schedule.kind;
}

export function Definition({ saved }) {
  const { connection } = saved;
  return html`<section>
    <h2>${t("definition.title")}</h2>
    <dl class="facts">
      <dt>${t("definition.connection")}</dt>
      <dd>${connection ? html`<a href=${href(["connections", connection])}>${connection}</a>` : t("definition.detached")}</dd>
      <dt>${t("definition.list")}</dt><dd><code>${saved.list_id}</code></dd>
      <dt>${t("definition.segments")}</dt><dd>${list(saved.segments)}</dd>
      <dt>${t("definition.schedule")}</dt><dd>${scheduleWords(saved.schedule)}</dd>
      <dt>${t("definition.changes")}</dt>
      <dd>${t(`changes.${saved.changes}`)} <span class="quiet">${t("definition.resend", { count: saved.resend_every })}</span></dd>
      <dt>${t("definition.leavers")}</dt><dd><${Leavers} saved=${saved} /></dd>
      <dt>${t("definition.max_contacts")}</dt><dd>${number(saved.max_contacts)}</dd>
      <dt>${t("definition.mapping")}</dt><dd><${Mapping} mapping=${saved.mapping} /></dd>
    </dl>
  </section>`;
}

function Leavers({ saved }) {
  const { share, number: most } = saved.max_removals;
  const bounds = [percent(share), ...(most === null ? [] : [number(most)])];
  return html`${t(`leavers.${saved.leavers}`)}
    ${saved.leavers === "remove" &&
    html` <span class="quiet">${t("definition.max_removals", { bounds: list(bounds) })}</span>`}`;
}

const NO_COLUMNS = new Set(["custom_fields", "alternate_emails", "over_long", "unusable"]);

// SendGrid's field and the column that feeds it; names are SendGrid's, or those that Customer Insights has for them.
function Mapping({ mapping }) {
  const fields = Object.entries(mapping).filter(([name, column]) => column && !NO_COLUMNS.has(name));
  const alternate = mapping.alternate_emails.map((column) => ["alternate_emails", column]);
  const named = [...fields, ...alternate].map(([name, column]) => [known(`field.${name}`) ? t(`field.${name}`) : name, column]);
  const all = [...named, ...Object.entries(mapping.custom_fields)];
  return html`<ul class="pairs">
    ${all.map(([field, column]) => html`<li><span>${field}</span> <span class="quiet">←</span> <code>${column}</code></li>`)}
  </ul>`;
}
