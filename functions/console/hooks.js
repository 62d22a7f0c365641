// What views do again and again: read something, and have something done.
import { call, get } from "./api.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { isEnglish, translated } from "./i18n.js";
import { session } from "./session.js";

// Whether anybody sees the view: the window is not hidden, and nobody is asked who they are.
export const isLookedAt = () => document.visibilityState === "visible" && !session().isLost;

// What a path of the API answers: {data, etag, problem, loading, reload}. `path` may be null: nothing is asked then.
// `every` seconds it is read again, while the page is looked at. `once`: where it fails it is not tried again by itself.
export function useResource(path, { query, every, once } = {}) {
  const [state, setState] = useState({ data: null, etag: null, problem: null, loading: Boolean(path) });
  const asked = useRef(null);
  const search = JSON.stringify(query ?? {});

  const load = useCallback(async () => {
    if (!path) return;
    asked.current?.abort();
    const controller = new AbortController();
    asked.current = controller;
    setState((before) => ({ ...before, loading: true }));
    try {
      const { data, etag } = await get(path, { query: JSON.parse(search), once, signal: controller.signal });
      setState({ data, etag, problem: null, loading: false });
    } catch (problem) {
      if (!controller.signal.aborted) setState((before) => ({ ...before, problem, loading: false }));
    }
  }, [path, search]);

  useEffect(() => {
    setState({ data: null, etag: null, problem: null, loading: Boolean(path) });
    load();
    return () => asked.current?.abort();
  }, [load]);

  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => isLookedAt() && load(), every * 1000);
    return () => clearInterval(timer);
  }, [load, every]);

  return { ...state, reload: load };
}

// What a path answers by pages, all of them: {items, problem, loading, reload}; `name` is the member with what is listed.
export function useAll(path, name) {
  const [items, setItems] = useState(null);
  const { act, busy, problem } = useAction(async () => {
    const found = [];
    for (let next = path; next; ) {
      const { data } = await get(next);
      found.push(...data[name]);
      next = data.next;
    }
    setItems(found);
  });
  useEffect(() => {
    if (path) act();
  }, [path]);
  return { items, problem, loading: Boolean(path) && !items && !problem, reload: () => act() };
}

// Something that is done on demand: {act, busy, problem, clear}. While it is under way `act` does nothing more.
// `work(key, ...given)` gets a key for `Idempotency-Key`: the same one until it has succeeded or was refused, so that
// what is pressed again after a lost answer is not done twice.
export function useAction(work) {
  const [state, setState] = useState({ busy: false, problem: null });
  const under = useRef(false);
  const key = useRef(null);

  const act = useCallback(
    async (...given) => {
      if (under.current) return undefined;
      under.current = true;
      key.current ??= crypto.randomUUID();
      setState({ busy: true, problem: null });
      try {
        const found = await work(key.current, ...given);
        key.current = null;
        setState({ busy: false, problem: null });
        return found;
      } catch (problem) {
        if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) key.current = null;
        setState({ busy: false, problem });
        return undefined;
      } finally {
        under.current = false;
      }
    },
    [work],
  );
  const clear = useCallback(() => setState({ busy: false, problem: null }), []);
  return { act, clear, ...state };
}

// Whether an element has ever come into view: [ref, seen]. What costs a request waits for it.
export function useSeen() {
  const ref = useRef(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((found) => {
      if (!found.some((each) => each.isIntersecting)) return;
      setSeen(true);
      observer.disconnect();
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, seen];
}

let codes = null;

// A function that tells of a code what it means and what to do: {meaning, action}. Its words are those of the language's
// catalogue; in English the app's own: GET /api/reasons, asked once.
export function useReasons() {
  const [found, setFound] = useState(codes);
  const isAsked = isEnglish();
  useEffect(() => {
    if (codes || !isAsked) return;
    call("GET", "/api/reasons").then(
      ({ data }) => {
        codes = new Map(data.reasons.map((each) => [each.code, each]));
        setFound(codes);
      },
      () => {}, // codes are then shown as they are
    );
  }, [isAsked]);
  return (code) => translated(code) ?? (isAsked ? found?.get(code) : undefined);
}
