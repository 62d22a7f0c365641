// Starts the console: words first, then the view that the address names, or the one that signs in.
import { arrive } from "./components/page.js";
import { Layout } from "./components/layout.js";
import { Spinner } from "./components/spinner.js";
import { ErrorBox } from "./components/error.js";
import { html, render, useEffect, useState } from "./html.js";
import { preferredLanguage, setLanguage } from "./i18n.js";
import { showScheme } from "./preferences.js";
import { match, useLocation } from "./router.js";
import { session, watchSession } from "./session.js";
import NotFound from "./views/not-found.js";
import SignIn from "./views/sign-in.js";

// An address, and the module that has its view as `default`. The first that fits counts.
const ROUTES = [
  ["/", () => import("./views/overview.js")],
  ["/connections", () => import("./views/connections.js")],
  ["/connections/new", () => import("./views/connection.js")],
  ["/connections/:id", () => import("./views/connection.js")],
  ["/exports/new", () => import("./views/export-editor.js")],
  ["/exports/:id", () => import("./views/export.js")],
  ["/exports/:id/edit", () => import("./views/export-editor.js")],
  ["/exports/:id/runs/:run", () => import("./views/run.js")],
  ["/audit", () => import("./views/audit.js")],
];

function App() {
  const [, again] = useState(0);
  const redraw = () => again((count) => count + 1);
  useEffect(() => {
    let wasLost = false;
    return watchSession(() => {
      if (session().isLost !== wasLost) arrive();
      wasLost = session().isLost;
      redraw();
    });
  }, []);
  const { path, query } = useLocation();
  const { me, isLost } = session();
  return html`<${Layout} path=${path} onLanguage=${redraw}>
    ${(!me || isLost) && html`<${SignIn} />`}
    ${me && html`<div key=${me.id} hidden=${isLost}><${View} path=${path} query=${query} /></div>`}
  <//>`;
}

function View({ path, query }) {
  const found = match(ROUTES, path);
  const [loaded, setLoaded] = useState({});
  useEffect(() => {
    arrive();
    let wanted = true;
    const show = (view) => wanted && setLoaded({ path, ...view });
    if (found) found.load().then(({ default: view }) => show({ view }), () => show({ problem: { code: "offline" } }));
    return () => {
      wanted = false;
    };
  }, [path]);
  if (!found) return html`<${NotFound} key=${path} />`;
  if (loaded.path !== path) return html`<${Spinner} />`;
  if (loaded.problem) return html`<${ErrorBox} problem=${loaded.problem} retry=${() => location.reload()} />`;
  return html`<${loaded.view} key=${path} ...${found.params} query=${query} />`;
}

showScheme();
await setLanguage(preferredLanguage());
render(html`<${App} />`, document.getElementById("app"));
