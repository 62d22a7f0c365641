// A run as it is now, and as it goes on: the app answers when something has changed, or after a while.
import { get, path } from "../api.js";
import { isOver } from "../components/badge.js";
import { announce } from "../components/live.js";
import { useEffect, useState } from "../html.js";
import { t } from "../i18n.js";

const WAIT_SECONDS = 20;
const LEAST_SECONDS = 2; // between two looks: an instance with many who wait answers at once

const sleep = (length) => new Promise((resolve) => setTimeout(resolve, length));

// Nobody looks at a page that is hidden, so nothing is asked.
function seen(signal) {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => document.visibilityState === "visible" && resolve();
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", resolve);
  });
}

async function follow(address, tell, signal) {
  let query = {};
  let status = null;
  while (!signal.aborted) {
    const asked = Date.now();
    const { data } = await get(address, { query, signal });
    if (status && status !== data.status) announce(t("run.is_now", { status: t(`run_status.${data.status}`) }));
    status = data.status;
    tell(data);
    if (isOver(status)) return;
    query = { wait: WAIT_SECONDS };
    await sleep(Math.max(0, asked + LEAST_SECONDS * 1000 - Date.now()));
    await seen(signal);
  }
}

// {run, problem, reload}
export function useRun(exportId, runId) {
  const [state, setState] = useState({ run: null, problem: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const tell = (run) => signal.aborted || setState({ run, problem: null });
    follow(path("exports", exportId, "runs", runId), tell, signal).catch(
      (problem) => signal.aborted || setState((before) => ({ ...before, problem })),
    );
    return () => controller.abort();
  }, [exportId, runId, turn]);
  return { ...state, reload: () => setTurn((count) => count + 1) };
}
