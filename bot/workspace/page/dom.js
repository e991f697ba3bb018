// Small helpers to build elements. Outside text only ever becomes text nodes.

// h makes an element: h("button.primary", {type: "button", onclick: f}, "Go", child).
export function h(spec, attrs, ...children) {
  const [tag, ...classes] = spec.split(".");
  const el = document.createElement(tag || "div");
  if (classes.length) el.className = classes.join(" ");
  for (const [name, value] of Object.entries(attrs || {})) setAttribute(el, name, value);
  append(el, children);
  return el;
}

function setAttribute(el, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) {
    el.addEventListener(name.slice(2), value);
  } else if (name === "data") {
    for (const [k, v] of Object.entries(value)) if (v !== undefined) el.dataset[k] = v;
  } else if (["value", "checked", "selected", "disabled", "hidden"].includes(name)) {
    el[name] = value;
  } else {
    el.setAttribute(name, value === true ? "" : value);
  }
}

function append(el, children) {
  for (const c of children) {
    if (Array.isArray(c)) append(el, c);
    else if (c !== undefined && c !== null && c !== false && c !== "") el.append(c);
  }
}

// breakable is text that may go on in a new line behind a comma, so that long lists do not break inside a name.
export const breakable = (text) => text.split(/(?<=\S,)(?=\S)/).flatMap((part, i) => (i ? [h("wbr"), part] : [part]));

export const $ = (id) => document.getElementById(id);

// safeLink returns the address when it is plain http(s), and nothing otherwise.
export function safeLink(address) {
  try {
    const u = new URL(address);
    return u.protocol === "https:" || u.protocol === "http:" ? u.href : "";
  } catch {
    return "";
  }
}

// link draws a link that opens beside the page; an unsafe one is only its text.
export function link(address, ...children) {
  const href = safeLink(address);
  const inside = children.length ? children : [address];
  if (!href) return h("span", null, ...inside);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...inside);
}

// reconcile makes the children of parent exactly nodes, moving as little as it can,
// so that focus and half-made choices in unchanged nodes survive.
export function reconcile(parent, nodes) {
  const keep = new Set(nodes);
  for (const old of [...parent.childNodes]) if (!keep.has(old)) old.remove();
  let at = parent.firstChild;
  for (const n of nodes) {
    if (n === at) at = at.nextSibling;
    else parent.insertBefore(n, at);
  }
}

const palette = ["#4a58d6", "#0e8a7b", "#b4530a", "#a8327d", "#2f7d32", "#7a4fc9", "#0b76b7", "#b3372f"];

function colourOf(user) {
  if (/^#?[0-9a-f]{6}$/i.test(user.color || "")) return user.color[0] === "#" ? user.color : "#" + user.color;
  let sum = 0;
  for (const c of user.id || user.name || "?") sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  return palette[sum % palette.length];
}

// darkText tells whether black text reads better than white on a colour.
function darkText(hex) {
  const part = (i) => parseInt(hex.slice(i, i + 2), 16) / 255;
  return 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5) > 0.68;
}

function initials(name) {
  const words = name.replace(/\(.*?\)/g, " ").trim().split(/[\s._-]+/).filter(Boolean);
  if (!words.length) return "?";
  const first = [...words[0]][0];
  return (first + (words.length > 1 ? [...words[words.length - 1]][0] : "")).toUpperCase();
}

// displayName is how a person or bot is called in the page.
export const displayName = (u) => u.real_name || u.name || u.id || "someone";

// avatar draws the coloured initials of a user; bots get a square one.
export function avatar(user, size) {
  const colour = colourOf(user);
  const el = h("span.avatar", { "aria-hidden": "true" }, user.is_bot ? "▶" : initials(displayName(user)));
  el.classList.toggle("bot", Boolean(user.is_bot));
  el.classList.toggle("dark-text", darkText(colour));
  if (size) el.classList.add(size);
  el.style.setProperty("--avatar", colour);
  return el;
}
