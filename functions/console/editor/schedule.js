// When an export runs, in words; and the next times that come of it.
import { ErrorBox } from "../components/error.js";
import { Field, RadioField, TextField } from "../components/form.js";
import { useResource } from "../hooks.js";
import { html, useEffect, useId, useState } from "../html.js";
import { dateTime, t } from "../i18n.js";
import { may } from "../session.js";

const KINDS = ["refresh", "arrival", "daily", "weekly", "cron", "off"];
const FORESEEN = new Set(["refresh", "cron"]); // what has times that are known before
const NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const SUNDAY = Date.UTC(2024, 0, 7);
const DAY = 86_400_000;
const TIMES = 5;
const PAUSE = 500; // milliseconds without a key pressed

const two = (value) => String(value).padStart(2, "0");

// "MON-FRI", "1,3": the days of the week in an expression, Sunday first; null where it says something else.
function daysOf(text) {
  const number = (name) => (/^[0-7]$/.test(name) ? Number(name) % 7 : NAMES.indexOf(name.toUpperCase()));
  const days = new Set();
  for (const part of text.split(",")) {
    const [first, last = first] = part.split("-").map(number);
    if (first < 0 || last < first) return null;
    for (let day = first; day <= last; day += 1) days.add(day);
  }
  return days.size ? [...days].sort() : null;
}

// A schedule as people say it: {kind, time, days}.
export function asSaid(schedule) {
  if (schedule.kind !== "cron") return { kind: schedule.kind };
  const [, minute, hour, days] = /^(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(schedule.cron) ?? [];
  if (minute === undefined) return { kind: "cron" };
  const time = `${two(hour)}:${two(minute)}`;
  if (days === "*") return { kind: "daily", time };
  const found = daysOf(days);
  return found ? { kind: "weekly", time, days: found } : { kind: "cron" };
}

function written({ kind, time = "06:00", days = [1] }, before) {
  const zone = before.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (kind !== "daily" && kind !== "weekly" && kind !== "cron") return { kind };
  const [hour, minute] = time.split(":").map(Number);
  const on = kind === "weekly" ? days.map((day) => NAMES[day]).join(",") : "*";
  const cron = kind === "cron" ? (before.cron ?? "0 6 * * *") : `${minute} ${hour} * * ${on}`;
  return { kind: "cron", cron, time_zone: zone };
}

export function ScheduleChoice({ schedule, onInput, settle, onSettle, problem }) {
  // What an expression looks like does not tell that somebody wants to write it: that is remembered.
  const [said, setSaid] = useState(asSaid(schedule));
  const say = (changes) => {
    const next = { ...said, ...changes };
    setSaid(next);
    onInput(written(next, schedule));
  };
  return html`<section>
    <h2>${t("timing.title")}</h2>
    <div class="column">
      <${RadioField} legend=${t("timing.when")} value=${said.kind} onInput=${(kind) => say({ kind })}
        options=${KINDS.map((kind) => [kind, t(`timing.kind.${kind}`), t(`timing.hint.${kind}`)])} />
      ${(said.kind === "daily" || said.kind === "weekly") && html`<${TextField} label=${t("timing.time")} type="time" required
        value=${said.time ?? "06:00"} onInput=${(time) => time && say({ time })} />`}
      ${said.kind === "weekly" && html`<${Days} chosen=${said.days ?? [1]} onInput=${(days) => say({ days })} />`}
      ${said.kind === "cron" && html`<${TextField} label=${t("timing.cron")} hint=${t("timing.cron_hint")} value=${schedule.cron}
        onInput=${(cron) => onInput({ ...schedule, cron })} problem=${problem} pointer="/schedule/cron" spellcheck=${false}
        autocomplete="off" />`}
      ${schedule.kind === "cron" && html`<${Zone} value=${schedule.time_zone} problem=${problem}
        onInput=${(zone) => onInput({ ...schedule, time_zone: zone })} />`}
      ${may("list_next_times") && FORESEEN.has(schedule.kind) && html`<${NextTimes} schedule=${schedule} />`}
      <${Settle} value=${settle} problem=${problem} onInput=${onSettle} />
    </div>
  </section>`;
}

const dayName = (day) => dateTime(SUNDAY + day * DAY, { weekday: "long", timeZone: "UTC" });

function Days({ chosen, onInput }) {
  const toggle = (day, isWanted) => {
    const days = isWanted ? [...chosen, day].sort() : chosen.filter((each) => each !== day);
    if (days.length) onInput(days);
  };
  const id = useId();
  return html`<fieldset class="field"><legend>${t("timing.days")}</legend>
    <div class="row">${[1, 2, 3, 4, 5, 6, 0].map((day) => html`<span class="pill">
      <input type="checkbox" id=${`${id}-${day}`} checked=${chosen.includes(day)}
        disabled=${chosen.length === 1 && chosen[0] === day}
        onChange=${(event) => toggle(day, event.target.checked)} />
      <label for=${`${id}-${day}`}>${dayName(day)}</label></span>`)}</div>
  </fieldset>`;
}

const SECONDS = { H: 3600, M: 60, S: 1 };

const minutesOf = (duration) =>
  [...duration.matchAll(/(\d+(?:\.\d+)?)([HMS])/g)].reduce((sum, [, count, unit]) => sum + (count * SECONDS[unit]) / 60, 0);

// How long nothing may change of an extract before it is read, in minutes; the app has it by ISO 8601.
function Settle({ value, onInput, problem }) {
  const write = (text) => onInput(`PT${Math.round(Number(text) * 60)}S`);
  return html`<${TextField} label=${t("timing.settle")} hint=${t("timing.settle_hint")} type="number" min="0" step="any"
    value=${minutesOf(value)} onInput=${write} problem=${problem} pointer="/source/settle" />`;
}

function Zone({ value, onInput, problem }) {
  const id = useId();
  const names = ["UTC", ...Intl.supportedValuesOf("timeZone")];
  const control = (attributes) => html`<input list=${id} value=${value} spellcheck=${false} autocomplete="off"
      onInput=${(event) => onInput(event.target.value)} ...${attributes} />
    <datalist id=${id}>${names.map((each) => html`<option value=${each} />`)}</datalist>`;
  return html`<${Field} label=${t("timing.zone")} hint=${t("timing.zone_hint")} control=${control}
    error=${problem?.fault?.("/schedule/time_zone")} />`;
}

function useSettled(value, pause) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return settled;
}

function NextTimes({ schedule }) {
  const settled = useSettled(JSON.stringify(schedule), PAUSE);
  const { kind, cron, time_zone } = JSON.parse(settled);
  const { data, problem } = useResource("/api/schedules/next", { query: { kind, cron, time_zone, count: TIMES } });
  if (problem?.status === 400) {
    return html`<div class="field-error" role="status">${problem.errors.map((each) => html`<p>${each.message}</p>`)}</div>`;
  }
  if (problem) return html`<${ErrorBox} problem=${problem} />`;
  if (!data) return null;
  if (!data.times.length) return html`<p class="box box-warning">${t("timing.never")}</p>`;
  const zone = data.schedule.time_zone;
  const shown = (at) => dateTime(at, { dateStyle: "full", timeStyle: "short", timeZone: zone });
  return html`<div role="status"><h3>${t("timing.next", { zone })}</h3>
    <ol class="times">${data.times.map((each) => html`<li><time datetime=${each.utc}>${shown(each.utc)}</time></li>`)}</ol></div>`;
}
