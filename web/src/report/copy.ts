// To the clipboard, also where a page has no right to it (plain http on another machine).
import { byId } from "./data.js";

/** Say something to who listens to the page instead of looking at it. */
export function say(text: string): void {
  byId("said").textContent = text;
}

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
