// Tells those who do not see the page what has changed on it.
import { html, useEffect, useState } from "../html.js";

let say = () => {};

// Has a screen reader read a text when it is through with what it reads.
export const announce = (text) => say(text);

export function LiveRegion() {
  const [text, setText] = useState("");
  useEffect(() => {
    say = setText;
    return () => {
      say = () => {};
    };
  }, []);
  return html`<div class="unseen" role="status" aria-live="polite">${text}</div>`;
}
