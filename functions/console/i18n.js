// Words by language, and numbers and times as people of that language write them.
import { prefer, preference } from "./preferences.js";

export const LANGUAGES = ["en", "ca", "fr", "ru", "sv", "zh-Hant-HK"];
const FALLBACK = "en";
const catalogues = new Map();
let language = FALLBACK;

// Of a chosen or asked-for language: the same, or the nearest there is.
function nearest(wanted) {
  const [base] = wanted.toLowerCase().split("-");
  return LANGUAGES.find((each) => each.toLowerCase() === wanted.toLowerCase())
    ?? LANGUAGES.find((each) => each.toLowerCase().split("-")[0] === base);
}

export function preferredLanguage() {
  const wanted = [preference("language"), ...(navigator.languages ?? [])].filter(Boolean);
  return wanted.map(nearest).find(Boolean) ?? FALLBACK;
}

async function load(name) {
  if (catalogues.has(name)) return;
  const answer = await fetch(`/console/messages/${name}.json`);
  if (!answer.ok) throw new Error(`the messages of ${name} are not there`);
  catalogues.set(name, await answer.json());
}

export async function setLanguage(name) {
  await Promise.all([load(name), name === FALLBACK || load(`codes/${name}`)]);
  language = name;
  document.documentElement.lang = name;
}

export async function chooseLanguage(name) {
  await setLanguage(name);
  prefer("language", name);
}

export const currentLanguage = () => language;

export const isEnglish = () => language === FALLBACK;

// A language's own name for itself.
export const languageName = (name) => new Intl.DisplayNames([name], { type: "language" }).of(name);

// Every catalogue has every message.
const lookUp = (key) => catalogues.get(language)?.[key];

// Whether there are words for a key that is made of a code.
export const known = (key) => lookUp(key) !== undefined;

// What a code means and what to do about it, {meaning, action}; nothing in English, where the app's own words are it.
export const translated = (code) => catalogues.get(`codes/${language}`)?.[code];

function plural(forms, count) {
  return forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
}

// The words of a key. `{name}` in them is a value; of a message with plural forms, `count` decides.
export function t(key, values = {}) {
  const found = lookUp(key);
  if (found === undefined) return key;
  const text = typeof found === "string" ? found : plural(found, values.count);
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : String(value);
  });
}

export const number = (value) => new Intl.NumberFormat(language).format(value);

export const percent = (share) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(share);

// "1.2 MB"
export function bytes(value) {
  const step = Math.min(SIZES.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  const options = { style: "unit", unit: SIZES[step], unitDisplay: "short", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, options).format(value / 1000 ** step);
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"];

export const dateTime = (value, options = { dateStyle: "medium", timeStyle: "short" }) =>
  new Intl.DateTimeFormat(language, options).format(new Date(value));

// The reader's own; UTC where their system has none that others would know.
export function timeZone() {
  const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions();
  return zone.startsWith("Etc/Unknown") ? "UTC" : zone;
}

export const list = (items) => new Intl.ListFormat(language).format(items);

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

// "in 5 minutes", "yesterday".
export function relative(value, now = Date.now()) {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

// "2 min, 5 sec"
export function duration(seconds) {
  const whole = Math.round(seconds);
  const parts = [];
  let left = whole;
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count || (unit === "second" && !parts.length)) parts.push([count, unit]);
  }
  const short = parts.slice(0, 2).map(([count, unit]) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count));
  return new Intl.ListFormat(language, { type: "unit", style: "short" }).format(short);
}
