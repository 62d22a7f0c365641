// The columns of the chosen segments.
import { useMemo } from "../html.js";

// {name, missing}: missing are the chosen segments whose columns are known, and that have none of this name.
export function useColumns(segments, chosen) {
  return useMemo(() => {
    const known = (segments ?? []).filter((each) => chosen.includes(each.segment) && each.columns);
    const names = [...new Set(known.flatMap((each) => each.columns))];
    const missing = (name) => known.filter((each) => !each.columns.includes(name)).map((each) => each.segment);
    return names.map((name) => ({ name, missing: missing(name) }));
  }, [segments, chosen]);
}
