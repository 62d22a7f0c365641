// Checks Kusto queries with Microsoft's own parser: reads {tables: {name: "(column: type, …)"}, queries: […]} from
// standard input and prints, for each query, the list of what is wrong with it.
"use strict";

require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const kusto = globalThis.Kusto.Language;
const { tables, queries } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

const symbols = Object.entries(tables).map(([name, columns]) =>
  kusto.Symbols.TableSymbol.From(columns).WithName(name),
);
const state = kusto.GlobalState.Default.WithDatabase(new kusto.Symbols.DatabaseSymbol.ctor("workspace", symbols));

function problems(query) {
  const found = kusto.KustoCode.ParseAndAnalyze(query, state).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index).Message);
}

console.log(JSON.stringify(queries.map(problems)));
