// Whether a connection works, step by step: the first step that fails says what to do.
import { path, post } from "../api.js";
import { ErrorBox, Notice } from "../components/error.js";
import { announce } from "../components/live.js";
import { Spinner } from "../components/spinner.js";
import { useAction } from "../hooks.js";
import { html, useEffect, useState } from "../html.js";
import { t } from "../i18n.js";

// Steps in the order in which the app takes them, with the codes of what ends each.
const STEPS = [
  ["vault", ["secret_missing", "secret_empty", "secret_forbidden", "secret_malformed"]],
  ["sendgrid", ["key_refused", "address_not_allowed", "account_blocked", "data_residency", "request_refused", "unavailable"]],
  ["scope", ["scope_missing"]],
  ["consent", ["consent_missing"]],
];

function judged(found, problem) {
  if (found) return STEPS.map(([step]) => [step, step === "consent" && !found.consent_given ? "bad" : "good"]);
  const at = STEPS.findIndex(([, codes]) => codes.includes(problem.code));
  return STEPS.map(([step], index) => [step, index < at ? "good" : index === at ? "bad" : "open"]);
}

export function Check({ id, now }) {
  const [found, setFound] = useState(null);
  const { act, busy, problem } = useAction(async () => {
    setFound(null);
    const { data } = await post(path("connections", id, "check"));
    setFound(data);
    announce(t(data.consent_given ? "check.works" : "check.no_consent"));
  });
  useEffect(() => {
    if (now) act();
  }, []);
  const isNamed = problem && STEPS.some(([, codes]) => codes.includes(problem.code));
  return html`<section>
    <h2>${t("check.title")}</h2>
    ${!busy && !found && !problem && html`<p class="quiet">${t("check.text")}</p>`}
    ${busy && html`<${Spinner} label=${t("check.busy")} />`}
    ${!busy && (found || isNamed) && html`<ul class="steps">
      ${judged(found, problem).map(([step, state]) => html`<li class=${`step step-${state}`}>
        <span class="unseen">${t(`check.state.${state}`)}: </span>${t(`check.${step}.${state}`)}
      </li>`)}
    </ul>`}
    ${found && !found.consent_given && html`<${Notice} code="consent_missing">${t("connection.consent_none")}<//>`}
    <${ErrorBox} problem=${problem} />
    <p><button type="button" disabled=${busy} onClick=${act}>${t("check.act")}</button></p>
  </section>`;
}
