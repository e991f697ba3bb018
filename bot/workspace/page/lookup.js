// Selects whose options come from the bot while one types.
import { h } from "./dom.js";
import { words, plain } from "./mrkdwn.js";

let serial = 0;

// combo draws the text field and its list; picked(option) is called for a choice.
function combo(e, env, start, picked) {
  const id = "options-" + ++serial;
  const list = h("div.options", { id, role: "listbox", hidden: true });
  const input = h("input.field", {
    type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
    autocomplete: "off", placeholder: e.placeholder ? words(e.placeholder) : "Search…", value: start,
  });
  let groups = [];
  let options = [];
  let at = -1;
  let asked = 0;
  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
  };
  const mark = (n) => {
    at = n;
    const rows = [...list.querySelectorAll("[role=option]")];
    rows.forEach((row, i) => row.setAttribute("aria-selected", String(i === n)));
    rows[n]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (o) => {
    show(false);
    picked(o);
  };
  const draw = () => {
    list.replaceChildren(...groups.flatMap((g) => [
      ...(g.label ? [h("div.option-label", null, g.label)] : []),
      ...(g.options || []).map((o) => h("div.option", {
        role: "option", data: { value: o.value },
        onmousedown: (ev) => ev.preventDefault(), onclick: () => choose(o),
      }, h("span", null, ...plain(o.text)), o.description && h("small", null, ...plain(o.description))))]));
    if (!options.length) list.append(h("div.option.none", null, "No matches"));
    mark(options.length ? 0 : -1);
    show(true);
    list.scrollIntoView({ block: "nearest" });
  };
  const ask = async () => {
    const turn = ++asked;
    if (input.value.trim().length < (e.min_query_length ?? 0)) return show(false);
    const found = await env.find(input.value.trim());
    if (turn !== asked || !input.isConnected || document.activeElement !== input) return;
    groups = found;
    options = found.flatMap((g) => g.options || []);
    draw();
  };
  let wait;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(ask, 120);
  });
  input.addEventListener("focus", () => {
    input.select();
    ask();
  });
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (ev) => {
    if (ev.key === "ArrowDown" && list.hidden) ask();
    if (ev.key === "Enter") ev.preventDefault();
    if (list.hidden) return;
    if (ev.key === "ArrowDown") mark(Math.min(at + 1, options.length - 1));
    else if (ev.key === "ArrowUp") mark(Math.max(at - 1, 0));
    else if (ev.key === "Enter" && options[at]) choose(options[at]);
    else if (ev.key === "Escape") show(false);
    else return;
    ev.preventDefault();
    ev.stopPropagation();
  });
  return { node: h("div.lookup", null, input, list), input };
}

// lookup is an external_select.
export function lookup(e, env) {
  let chosen = (env.saved ? env.saved.selected_option : e.initial_option) || null;
  const state = () => ({ type: e.type, selected_option: chosen });
  const label = () => (chosen ? words(chosen.text) : "");
  const { node, input } = combo(e, env, label(), (o) => {
    chosen = o;
    input.value = label();
    env.changed(state());
  });
  // Leaving the field empty clears the choice; leaving it half typed keeps the old one.
  input.addEventListener("blur", () => {
    if (input.value.trim() === "") chosen = null;
    input.value = label();
  });
  return { node, state };
}

// multiLookup is a multi_external_select: chosen options stand above the field.
export function multiLookup(e, env) {
  let chosen = [...((env.saved ? env.saved.selected_options : e.initial_options) || [])];
  const state = () => ({ type: e.type, selected_options: chosen });
  const chips = h("div.chips");
  const draw = () => {
    chips.replaceChildren(...chosen.map((o) => h("button.chip", {
      type: "button", "aria-label": "Remove " + words(o.text),
      onclick: () => {
        chosen = chosen.filter((c) => c !== o);
        draw();
        env.changed(state());
      },
    }, words(o.text), h("span", { "aria-hidden": "true" }, " ✕"))));
  };
  const { node, input } = combo(e, env, "", (o) => {
    if (!chosen.some((c) => c.value === o.value)) chosen = [...chosen, o];
    input.value = "";
    draw();
    env.changed(state());
  });
  draw();
  node.prepend(chips);
  return { node, state };
}
