// What somebody has chosen for this browser: language and colours, and nothing else is ever stored.
const ALLOWED = new Set(["language", "scheme"]);

export function preference(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage may be switched off
  }
}

export function prefer(name, value) {
  if (!ALLOWED.has(name)) throw new Error(`${name} is not to be stored`);
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // then it holds until the page is closed
  }
}

export const SCHEMES = ["auto", "light", "dark"];

export const scheme = () => (SCHEMES.includes(preference("scheme")) ? preference("scheme") : "auto");

export function showScheme() {
  document.documentElement.dataset.scheme = scheme();
}
