// Asks the app's own API, the only thing the console ever asks.
import { credentialsOf, lose } from "./session.js";

const TRIES = 4;
const LONGEST_WAIT = 30; // seconds
const WORTH_ANOTHER_TRY = new Set([429, 502, 503, 504]);
const REPEATABLE = new Set(["GET", "HEAD"]);

// Why something did not work: an answer of the API (RFC 9457), or none at all (status 0).
export class Problem extends Error {
  constructor({ status, code, title = "", detail = "", requestId = "", errors = [], retryAfter = null, problems = [] }) {
    super(detail || title || code);
    Object.assign(this, { status, code, title, detail, requestId, errors, retryAfter, problems });
  }

  // What is wrong with one member of the body, by its JSON pointer; or with a parameter, by its name.
  fault(at) {
    return this.errors.find((each) => each.pointer === at || each.field === at)?.message ?? null;
  }

  // The same of a member and all that is in it.
  faultBelow(at) {
    const found = this.errors.filter((each) => each.pointer === at || each.pointer?.startsWith(`${at}/`));
    return found.map((each) => each.message).join("; ") || null;
  }
}

const seconds = (answer) => {
  const value = answer.headers.get("Retry-After");
  return value && /^\d+$/.test(value) ? Number(value) : null;
};

async function problemOf(answer) {
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // the host itself answers some requests without a body
  }
  return new Problem({
    status: answer.status,
    code: told.code ?? `http_${answer.status}`,
    title: told.title,
    detail: told.detail,
    requestId: told.request_id ?? answer.headers.get("X-Request-Id") ?? "",
    errors: told.errors ?? [],
    problems: told.problems ?? [],
    retryAfter: seconds(answer),
  });
}

function sleep(length, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, length * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function send(method, path, { body, etag, key, accept, media = "application/json", signal, create }) {
  const headers = { Accept: accept ?? "application/json", ...(await credentialsOf()) };
  if (body !== undefined) headers["Content-Type"] = media;
  if (etag) headers["If-Match"] = etag;
  if (create) headers["If-None-Match"] = "*";
  if (key) headers["Idempotency-Key"] = key;
  try {
    return await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ status: 0, code: "offline" });
  }
}

// Whether asking once more does no harm: nothing is changed, or the app knows the request by its key.
const repeatable = (method, { key, once }) => !once && (REPEATABLE.has(method) || Boolean(key));

// The answer, {data, etag, location, headers}. Throws Problem.
// Options: query, body, media, etag (If-Match), create (If-None-Match: *), key (Idempotency-Key), accept, as, signal;
// and `once`, for what is not worth another try.
export async function call(method, path, options = {}) {
  const query = Object.entries(options.query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  const address = query.length ? `${path}?${new URLSearchParams(query)}` : path;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(method, address, options);
    } catch (problem) {
      if (!(problem instanceof Problem) || attempt === TRIES || !repeatable(method, options)) throw problem;
      if (problem.status && !WORTH_ANOTHER_TRY.has(problem.status)) throw problem;
      const wait = problem.retryAfter ?? 2 ** (attempt - 1);
      if (wait > LONGEST_WAIT) throw problem;
      await sleep(wait, options.signal);
    }
  }
}

async function ask(method, address, options) {
  const answer = await send(method, address, options);
  if (!answer.ok) {
    if (answer.status === 401) lose();
    throw await problemOf(answer);
  }
  return {
    data: await read(answer, options.as ?? "json"),
    etag: answer.headers.get("ETag"),
    location: answer.headers.get("Location"),
    headers: answer.headers,
  };
}

async function read(answer, as) {
  if (answer.status === 204) return null;
  return as === "json" ? answer.json() : answer[as]();
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { ...options, body });
export const put = (path, body, options) => call("PUT", path, { ...options, body });
export const patch = (path, body, options) =>
  call("PATCH", path, { ...options, body, media: "application/merge-patch+json" });
export const remove = (path, options) => call("DELETE", path, options);

// The address of something below /api, its ids escaped: path("exports", id, "runs").
export const path = (...parts) => `/api/${parts.map(encodeURIComponent).join("/")}`;

// Hands a file to the browser, to be kept.
export function keep(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// A file to keep: the answer is fetched with the caller's credentials.
export async function download(address, name, options) {
  const { data } = await get(address, { ...options, as: "blob" });
  keep(data, name);
}
