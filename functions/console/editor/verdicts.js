// What the first rows say of a mapping while it is being made: a draft's preview, which sends and saves nothing.
import { post } from "../api.js";
import { useEffect, useState } from "../html.js";
import { may } from "../session.js";

const PAUSE = 800; // milliseconds without a change
const AGAIN = 10; // seconds, where a busy app does not say when to ask again
const SAMPLES = 3;
const LOOKED_AT = ["connection", "list_id", "segments", "mapping", "source"]; // what a verdict depends on
const UNNAMED = "-"; // an export has a name, a draft need not have one yet

const isComplete = (draft) =>
  Boolean(draft.connection && draft.list_id && draft.segments.length && draft.mapping.email);

// Of each mapped field: how many rows were looked at, what does not fit, and some values, masked.
function judged({ fields, counts, contacts }, custom) {
  const rows = counts.rows_read;
  const idOf = (name) => custom.find((each) => each.name === name)?.id;
  const values = (each) =>
    contacts.map((contact) => (each.is_custom ? contact.custom_fields?.[idOf(each.field)] : contact[each.field]));
  const samples = (each) => values(each).filter(Boolean).slice(0, SAMPLES).map(String);
  const found = fields.filter((each) => !each.is_missing).map((each) => [
    each.is_custom ? `custom_fields.${each.field}` : each.field,
    { ...each, rows, samples: samples(each) },
  ]);
  const refused = Object.entries(counts.rejected_by_reason).filter(([reason]) => reason.startsWith("email_"));
  const rejected = refused.reduce((sum, [, count]) => sum + count, 0);
  const email = { empty: 0, cut: 0, unusable: 0, rejected, rows, samples: samples({ field: "email" }) };
  return new Map([["email", email], ...found]);
}

// {verdicts, problem, isBusy}; asked for when nothing has changed for a moment, and again when a busy app says so.
export function useVerdicts(draft, fields) {
  const [state, setState] = useState({ found: null, problem: null, isBusy: false });
  const isAsked = may("preview_draft") && isComplete(draft);
  const told = Object.fromEntries(LOOKED_AT.map((name) => [name, draft[name]]));
  const asked = isAsked ? JSON.stringify({ name: UNNAMED, ...told }) : null;
  useEffect(() => {
    if (!asked) {
      setState({ found: null, problem: null, isBusy: false });
      return undefined;
    }
    const controller = new AbortController();
    let timer = null;
    const look = async () => {
      setState((before) => ({ ...before, isBusy: true }));
      try {
        const { data } = await post("/api/preview", JSON.parse(asked), { signal: controller.signal });
        setState({ found: data, problem: null, isBusy: false });
      } catch (problem) {
        if (controller.signal.aborted) return;
        if (problem.status === 429) timer = setTimeout(look, (problem.retryAfter ?? AGAIN) * 1000);
        else setState({ found: null, problem, isBusy: false });
      }
    };
    timer = setTimeout(look, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [asked]);
  return { ...state, verdicts: state.found ? judged(state.found, fields?.custom ?? []) : new Map() };
}
