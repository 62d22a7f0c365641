// Rows and columns. A column is {title, cell: row => …, numeric, wide}.
import { html } from "../html.js";

export function Table({ caption, columns, rows, rowKey = (row) => row.id, empty = null }) {
  if (!rows.length && empty) return html`<p class="quiet">${empty}</p>`;
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>
          ${columns.map(
            (column) => html`<th scope="col" class=${column.numeric ? "numeric" : ""}>${column.title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${rowKey(row)}>
            ${columns.map(
              (column, at) =>
                html`<${at === 0 ? "th" : "td"}
                  scope=${at === 0 ? "row" : undefined}
                  class=${column.numeric ? "numeric" : ""}
                  data-column=${column.title}
                  >${column.cell(row)}<//
                >`,
            )}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
