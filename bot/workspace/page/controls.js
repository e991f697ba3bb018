// The elements that hold a choice. control(e, env) returns
// {node, state()}: state() is the element's type specific part, as Slack sends it.
// env: {ctx, saved, changed(state), find(text) => Promise<[{label, options}]>}.
import { h, displayName } from "./dom.js";
import { words, plain } from "./mrkdwn.js";
import { lookup, multiLookup } from "./lookup.js";

const texts = {
  plain_text_input: "text", number_input: "number", email_text_input: "email", url_text_input: "url", rich_text_input: "text",
};

function textInput(e, env) {
  const start = env.saved ? env.saved.value : e.initial_value;
  const multiline = e.multiline || e.type === "rich_text_input";
  const node = h(multiline ? "textarea.field" : "input.field", {
    type: multiline ? undefined : texts[e.type], rows: multiline ? 4 : undefined,
    placeholder: e.placeholder ? words(e.placeholder) : undefined, minlength: e.min_length, maxlength: e.max_length,
    min: e.min_value, max: e.max_value,
    step: e.type === "number_input" ? (e.is_decimal_allowed ? "any" : "1") : undefined,
    value: String(start ?? ""), onchange: () => env.changed(state()),
  });
  const state = () => ({ type: e.type, value: node.value === "" ? null : node.value });
  return { node, state };
}

const dates = {
  datepicker: ["date", "selected_date", "initial_date"],
  timepicker: ["time", "selected_time", "initial_time"],
};

function dateInput(e, env) {
  const [type, selected, initial] = dates[e.type];
  const start = env.saved ? env.saved[selected] : e[initial];
  const node = h("input.field.date-field", { type, value: start || "", onchange: () => env.changed(state()) });
  const state = () => ({ type: e.type, [selected]: node.value || null });
  return { node, state };
}

function momentInput(e, env) {
  const start = env.saved ? env.saved.selected_date_time : e.initial_date_time;
  const local = (s) => new Date(s * 1000 - new Date(s * 1000).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  const node = h("input.field.date-field", { type: "datetime-local", value: start ? local(start) : "", onchange: () => env.changed(state()) });
  const state = () => ({ type: e.type, selected_date_time: node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null });
  return { node, state };
}

// groupsOf gives an element's options as [[label, options]].
function groupsOf(e) {
  if (e.option_groups) return e.option_groups.map((g) => [words(g.label), g.options || []]);
  return [["", e.options || []]];
}

// picker draws a native select over [[label, [[value, text, picked]]]].
function picker(e, groups, start, done) {
  const node = h("select.field.select", { onchange: done });
  const hint = h("option", { value: "", disabled: e.type !== "static_select" || undefined }, e.placeholder ? words(e.placeholder) : "Choose…");
  hint.hidden = true;
  node.append(hint);
  for (const [label, items] of groups) {
    const into = label ? h("optgroup", { label }) : node;
    for (const [value, text] of items) into.append(h("option", { value }, text));
    if (label) node.append(into);
  }
  node.value = start ?? "";
  if (node.selectedIndex < 0) node.value = "";
  return node;
}

function staticSelect(e, env) {
  const groups = groupsOf(e);
  const all = groups.flatMap(([, options]) => options);
  const start = env.saved ? env.saved.selected_option : e.initial_option;
  const items = groups.map(([label, options]) => [label, options.map((o) => [o.value, words(o.text)])]);
  const node = picker(e, items, start?.value, () => env.changed(state()));
  const state = () => ({ type: e.type, selected_option: all.find((o) => o.value === node.value && node.value !== "") || null });
  return { node, state };
}

const people = (ctx) => ctx.users().filter((u) => !u.is_bot).map((u) => [u.id, displayName(u)]);
const rooms = (ctx) => ctx.channels().filter((c) => !c.is_archived).map((c) => [c.id, (c.is_im ? "" : "#") + c.name]);

const lists = {
  users_select: ["selected_user", "initial_user", people],
  channels_select: ["selected_channel", "initial_channel", (ctx) => rooms(ctx).filter(([, name]) => name[0] === "#")],
  conversations_select: ["selected_conversation", "initial_conversation", rooms],
};

function listSelect(e, env) {
  const [selected, initial, items] = lists[e.type];
  const here = e.default_to_current_conversation && env.ctx.channelID;
  const start = env.saved ? env.saved[selected] : e[initial] || here;
  const node = picker(e, [["", items(env.ctx)]], start, () => env.changed(state()));
  const state = () => ({ type: e.type, [selected]: node.value || null });
  return { node, state };
}

let serial = 0;

// boxes draws checkboxes or radio buttons over options, with their descriptions.
function boxes(kind, options, chosen, done) {
  const name = "choice-" + ++serial;
  const inputs = options.map((o) => h("input", { type: kind, name, value: o.value, checked: chosen.includes(o.value), onchange: done }));
  const rows = options.map((o, i) => h("label.choice", null, inputs[i], h("span.choice-text", null,
    h("span", null, ...plain(o.text)), o.description && h("small", null, ...plain(o.description)))));
  return { rows, picked: () => options.filter((_, i) => inputs[i].checked) };
}

function checkboxes(e, env) {
  const start = (env.saved ? env.saved.selected_options : e.initial_options) || [];
  const b = boxes("checkbox", e.options || [], start.map((o) => o.value), () => env.changed(state()));
  const state = () => ({ type: e.type, selected_options: b.picked() });
  return { node: h("div.choices", { role: "group" }, b.rows), state };
}

function radioButtons(e, env) {
  const start = env.saved ? env.saved.selected_option : e.initial_option;
  const b = boxes("radio", e.options || [], start ? [start.value] : [], () => env.changed(state()));
  const state = () => ({ type: e.type, selected_option: b.picked()[0] || null });
  return { node: h("div.choices", { role: "radiogroup" }, b.rows), state };
}

// multi draws a list of which several may be chosen: a box of checkboxes with a filter.
function multi(e, env, options, chosen, toState) {
  const b = boxes("checkbox", options, chosen, () => {
    count();
    env.changed(state());
  });
  const state = () => ({ type: e.type, ...toState(b.picked()) });
  const summary = h("span.multi-count");
  const filter = h("input.multi-filter", { type: "search", placeholder: e.placeholder ? words(e.placeholder) : "Filter…", "aria-label": "Filter the options" });
  filter.addEventListener("input", () => {
    const want = filter.value.trim().toLowerCase();
    for (const row of b.rows) row.hidden = !row.textContent.toLowerCase().includes(want);
  });
  filter.addEventListener("keydown", (ev) => ev.key === "Enter" && ev.preventDefault());
  const count = () => {
    summary.textContent = `${b.picked().length} of ${options.length}`;
  };
  count();
  const head = h("div.multi-head", null, filter, summary);
  return { node: h("div.multi", { role: "group" }, head, h("div.choices", null, b.rows)), state };
}

function multiStatic(e, env) {
  const options = groupsOf(e).flatMap(([, o]) => o);
  const start = (env.saved ? env.saved.selected_options : e.initial_options) || [];
  return multi(e, env, options, start.map((o) => o.value), (picked) => ({ selected_options: picked }));
}

function multiUsers(e, env) {
  const options = people(env.ctx).map(([value, text]) => ({ value, text: { type: "plain_text", text, emoji: false } }));
  const start = (env.saved ? env.saved.selected_users : e.initial_users) || [];
  return multi(e, env, options, start, (picked) => ({ selected_users: picked.map((o) => o.value) }));
}

const makers = {
  plain_text_input: textInput, number_input: textInput, email_text_input: textInput, url_text_input: textInput,
  rich_text_input: textInput, datepicker: dateInput, timepicker: dateInput, datetimepicker: momentInput,
  static_select: staticSelect, external_select: lookup, users_select: listSelect, channels_select: listSelect,
  conversations_select: listSelect, checkboxes, radio_buttons: radioButtons, multi_static_select: multiStatic,
  multi_users_select: multiUsers, multi_external_select: multiLookup,
};

// control makes the element's control, or nothing for an element that holds no choice.
export function control(e, env) {
  return Object.hasOwn(makers, e.type) ? makers[e.type](e, env) : null;
}

// isEmpty tells whether a state holds no answer.
export function isEmpty(state) {
  return Object.entries(state).every(([k, v]) => k === "type" || v === null || v === undefined || v.length === 0);
}
