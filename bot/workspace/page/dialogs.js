// Confirm dialogs and toasts.
import { $, h } from "./dom.js";
import { words, plain, textObject } from "./mrkdwn.js";

// ask shows an element's confirm dialog and reports the answer.
export function ask(c, ctx) {
  const dialog = $("confirm");
  return new Promise((resolve) => {
    let answer = false;
    const finish = (yes) => {
      answer = yes;
      dialog.close();
    };
    const yes = h("button.button", { type: "button", id: "confirm-yes", onclick: () => finish(true) }, c.confirm ? words(c.confirm) : "Yes");
    yes.classList.add(c.style === "danger" ? "danger" : "primary", "solid");
    const no = h("button.button", { type: "button", id: "confirm-no", onclick: () => finish(false) }, c.deny ? words(c.deny) : "Cancel");
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, ...(c.title ? plain(c.title) : ["Are you sure?"])),
      h("div.confirm-text", null, textObject(c.text, ctx)),
      h("div.dialog-foot", null, no, yes),
    );
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.showModal();
    yes.focus();
  });
}

// toast shows a passing message; errors stay longer.
export function toast(text, kind = "error") {
  const el = h("div.toast", { role: kind === "error" ? "alert" : "status", data: { kind } },
    h("span", null, text), h("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: () => el.remove() }, "✕"));
  const pile = $("toasts");
  pile.append(el);
  while (pile.children.length > 4) pile.firstElementChild.remove();
  // Showing the popover anew lifts the toasts above a dialog that opened meanwhile.
  if (pile.matches(":popover-open")) pile.hidePopover();
  pile.showPopover();
  setTimeout(() => el.remove(), kind === "error" ? 8000 : 4000);
}

const known = {
  operation_timeout: "the bot did not answer in time (operation_timeout)",
  not_in_channel: "you are not a member of this channel (not_in_channel)",
  is_archived: "this channel is archived (is_archived)",
  network: "the workspace does not answer; is it still running?",
};

// errorText says in words what an error means.
export const errorText = (code) => known[code] || String(code || "unknown error");
