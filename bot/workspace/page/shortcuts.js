// Shortcuts of the app: from the composer (global), or from a message.
import { h } from "./dom.js";
import { post } from "./api.js";
import { errorText } from "./dialogs.js";

// use tells the bot that a shortcut was used; container is the message, when it is of one.
async function use(ctx, s, container) {
  const answer = await post("shortcut", { as: ctx.as, action_id: s.callback_id, container });
  if (!answer.ok) ctx.complain(errorText(answer.error));
}

// shortcuts draws a button with a menu of the shortcuts of a type; nothing when there are none.
export function shortcuts(ctx, type, container) {
  const list = ctx.shortcuts().filter((s) => s.type === type);
  if (!list.length) return null;
  const menu = h("div.menu", { role: "menu", hidden: true });
  const opener = h("button.icon-button", { type: "button", title: "Shortcuts", "aria-label": "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false", data: { shortcuts: type } }, "⚡");
  const show = (open) => {
    menu.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (open) menu.firstElementChild?.focus();
  };
  for (const s of list) {
    menu.append(h("button.menu-item", {
      type: "button", role: "menuitem", data: { callbackId: s.callback_id },
      onclick: () => {
        show(false);
        use(ctx, s, container);
      },
    }, h("span", null, s.name), s.description && h("small", null, s.description)));
  }
  opener.addEventListener("click", () => show(menu.hidden));
  const el = h("div.overflow", null, opener, menu);
  el.addEventListener("keydown", (ev) => {
    if (ev.key !== "Escape" || menu.hidden) return;
    show(false);
    opener.focus();
    ev.preventDefault();
    ev.stopPropagation();
  });
  return el;
}
