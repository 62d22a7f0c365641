// Addresses within the page: what stands behind the #, such as #/exports/high-value?tab=runs.
import { useEffect, useRef, useState } from "./html.js";

function read() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path.startsWith("/") ? path : "/", query: Object.fromEntries(new URLSearchParams(query)) };
}

let guard = null; // asks whether what somebody filled in may be left

// The address of a view; parts are escaped, empty parameters left out.
export function href(parts, query = {}) {
  const path = parts.map(encodeURIComponent).join("/");
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return `#/${path}${search ? `?${search}` : ""}`;
}

export function go(parts, query) {
  guard = null; // what the page does of its own accord is asked of nobody
  location.hash = href(parts, query);
}

// Has `mayLeave` asked before another view takes the place of this one; the browser asks when the page is left.
// What is given back ends that.
export function guardLeaving(mayLeave) {
  const ask = (event) => event.preventDefault();
  addEventListener("beforeunload", ask);
  guard = mayLeave;
  return () => {
    removeEventListener("beforeunload", ask);
    if (guard === mayLeave) guard = null;
  };
}

// The same view under another address, without a step back to the earlier one.
export function replace(parts, query) {
  guard = null;
  history.replaceState(null, "", href(parts, query));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no escape, though it looks like one: then no view has it
  }
}

// The first of the routes, [pattern, load], that a path has the form of, with what stands at its `:names`.
export function match(routes, path) {
  const parts = path.split("/").filter(Boolean).map(decoded);
  for (const [pattern, load] of routes) {
    const wanted = pattern.split("/").filter(Boolean);
    if (wanted.length !== parts.length) continue;
    if (wanted.every((each, at) => each.startsWith(":") || each === parts[at])) {
      const params = {};
      wanted.forEach((each, at) => {
        if (each.startsWith(":")) params[each.slice(1)] = parts[at];
      });
      return { pattern, load, params };
    }
  }
  return null;
}

export function useLocation() {
  const [place, setPlace] = useState(read);
  const shown = useRef(location.hash);
  useEffect(() => {
    const moved = () => {
      if (guard && !guard()) return history.pushState(null, "", shown.current || "#/");
      shown.current = location.hash;
      return setPlace(read());
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return place;
}
