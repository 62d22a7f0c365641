// Who is signed in. A key lives in this module's memory and nowhere else: a reload asks for it again.
let way = null; // what GET /api/sign-in answers
let credentials = null; // async () => headers
let leave = null; // what signing out means beyond forgetting
let me = null;
let isLost = false; // whether the app does not believe any more that it is `me`
const watchers = new Set();

export const session = () => ({ way, me, isLost });

export function watchSession(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const tell = () => watchers.forEach((watcher) => watcher());

export function setWay(found) {
  way = found;
  tell();
}

// The headers that say who asks.
export async function credentialsOf() {
  return credentials ? credentials() : {};
}

export function setCredentials(make, onLeave = null) {
  credentials = make;
  leave = onLeave;
}

export function welcome(caller) {
  me = caller;
  isLost = false;
  tell();
}

// The app does not take the credentials any more. What the caller was at stays as it is, unseen, until they are back.
export function lose() {
  credentials = null;
  isLost = me !== null;
  tell();
}

// Forgets who was here; the next view is the one that signs in.
export function forget() {
  credentials = me = null;
  isLost = false;
  tell();
}

export function signOut() {
  const farewell = leave;
  leave = null;
  forget();
  return farewell?.();
}

// Whether the caller's roles allow an operation at all, by its name in the API's description.
export const may = (operation) => Boolean(me?.operations.includes(operation));

// Whether the caller may do what only administrators may, with any connection.
export const isAdministrator = () => Boolean(me?.roles.includes("Administrator"));
