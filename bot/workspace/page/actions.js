// Elements one acts with: buttons, menus and choices in messages and views.
import { h, safeLink } from "./dom.js";
import { plain, words } from "./mrkdwn.js";
import { control } from "./controls.js";
import { ask } from "./dialogs.js";

// send sends one action of an element, after asking when the element wants that.
// It reports whether the action was sent; begun is called just before.
async function send(e, blockID, action, env, begun) {
  if (e.confirm && !(await ask(e.confirm, env.ctx))) return false;
  begun?.();
  await env.act(blockID, e.action_id, action);
  return true;
}

function button(e, blockID, env) {
  const el = h("button.button", { type: "button", "aria-label": e.accessibility_label, data: { actionId: e.action_id, blockId: blockID, value: e.value } }, ...plain(e.text));
  if (e.style === "primary" || e.style === "danger") el.classList.add(e.style);
  const href = e.url ? safeLink(e.url) : "";
  if (href) el.append(h("span.outward", { "aria-hidden": "true" }, "↗"));
  el.addEventListener("click", async () => {
    if (el.classList.contains("busy")) return;
    try {
      await send(e, blockID, { type: "button", value: e.value, text: e.text }, env, () => {
        if (href) window.open(href, "_blank", "noopener,noreferrer");
        el.classList.add("busy");
        el.setAttribute("aria-busy", "true");
      });
    } finally {
      el.classList.remove("busy");
      el.removeAttribute("aria-busy");
    }
  });
  return el;
}

// closeMenus closes every open overflow menu but one.
function closeMenus(but) {
  for (const m of document.querySelectorAll(".menu:not([hidden])")) {
    if (m === but) continue;
    m.hidden = true;
    m.parentElement.querySelector("button").setAttribute("aria-expanded", "false");
  }
}

document.addEventListener("click", (ev) => closeMenus(ev.target.closest(".overflow")?.querySelector(".menu")));

function overflow(e, blockID, env) {
  const menu = h("div.menu", { role: "menu", hidden: true });
  const opener = h("button.button.icon", { type: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", data: { actionId: e.action_id } }, "⋯");
  const show = (open) => {
    closeMenus(open ? menu : null);
    menu.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (open) menu.firstElementChild?.focus();
  };
  for (const o of e.options || []) {
    menu.append(h("button.menu-item", {
      type: "button", role: "menuitem", data: { value: o.value },
      onclick: () => {
        show(false);
        opener.focus();
        if (o.url && safeLink(o.url)) window.open(safeLink(o.url), "_blank", "noopener,noreferrer");
        send(e, blockID, { type: "overflow", selected_option: o }, env);
      },
    }, h("span", null, ...plain(o.text)), o.description && h("small", null, ...plain(o.description))));
  }
  opener.addEventListener("click", () => show(menu.hidden));
  const el = h("div.overflow", null, opener, menu);
  el.addEventListener("keydown", (ev) => {
    if (menu.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
    if (step) {
      const items = [...menu.children];
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    } else if (ev.key === "Escape") {
      show(false);
      opener.focus();
    } else return;
    ev.preventDefault();
    ev.stopPropagation();
  });
  return el;
}

// choice draws an element that acts as soon as something is chosen. Saying no to
// its confirm dialog puts the old choice back.
function choice(e, blockID, env) {
  const holder = h("div.choice-holder", { data: { actionId: e.action_id, blockId: blockID } });
  let settled = env.saved?.(blockID, e.action_id);
  const draw = () => {
    const c = control(e, {
      ctx: env.ctx, saved: settled, find: (text) => env.find(blockID, e.action_id, text),
      changed: async (state) => {
        if (await send(e, blockID, state, env)) settled = state;
        else draw();
      },
    });
    if (!c) return null;
    const field = c.node.matches(".field") ? c.node : c.node.querySelector(".field");
    field?.setAttribute("aria-label", e.placeholder ? words(e.placeholder) : e.action_id);
    holder.replaceChildren(c.node);
    env.register?.(blockID, e.action_id, c);
    return c;
  };
  return draw() ? holder : null;
}

// element draws an element of an actions block or of a section.
export function element(e, blockID, env) {
  if (e.type === "button") return button(e, blockID, env);
  if (e.type === "overflow") return overflow(e, blockID, env);
  return choice(e, blockID, env) || h("span.unknown", null, `(${e.type} is not drawn here)`);
}
