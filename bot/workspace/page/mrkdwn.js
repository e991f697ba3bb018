// Slack's mrkdwn, drawn as nodes. ctx gives the names: {user(id), channel(id), as}.
import { h, link, displayName, breakable } from "./dom.js";
import { emoji, knownEmoji } from "./emoji.js";
import { formatDate } from "./dates.js";

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const unescape = (s) => s.replace(/&(lt|gt|amp);/g, (e) => entities[e]);

// mention draws @someone; the acting user's own name stands out.
export function mention(id, label, ctx) {
  const u = ctx.user(id);
  const name = u ? displayName(u) : label || id;
  const el = h("span.mention", { data: { user: id } }, "@" + name);
  if (id === ctx.as) el.classList.add("me");
  return el;
}

// channelLink draws #channel, which opens it.
export function channelLink(id, label, ctx) {
  const c = ctx.channel(id);
  const text = "#" + (c ? c.name : label || id);
  if (!c || !ctx.openChannel) return h("span.mention", null, text);
  return h("button.mention.link", { type: "button", onclick: () => ctx.openChannel(id) }, text);
}

// special tells whether what stands between < and > is markup at all.
const special = /^([@#!]|[a-z][a-z0-9+.-]*:)/i;

// angle draws what stands between < and >.
function angle(inside, ctx) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? "" : inside.slice(bar + 1);
  if (target.startsWith("@")) return mention(target.slice(1), unescape(label), ctx);
  if (target.startsWith("#")) return channelLink(target.slice(1), unescape(label), ctx);
  if (target.startsWith("!date^")) {
    const [, seconds, pattern, address] = target.split("^");
    const text = formatDate(seconds, unescape(pattern || ""), unescape(label));
    const el = h("time.date", { title: unescape(label) }, text);
    return address ? link(unescape(address), el) : el;
  }
  if (target.startsWith("!subteam^")) return h("span.mention", null, unescape(label) || "@" + target.slice(9));
  if (target.startsWith("!")) return h("span.mention.me", null, "@" + (unescape(label).replace(/^@/, "") || target.slice(1)));
  return link(unescape(target), ...(label ? inline(label, ctx) : [unescape(target)]));
}

// code draws words as they are typed; short ones, such as the id of a run, stay in one piece.
export const code = (text) => h(text.length > 40 ? "code" : "code.short", null, text);

const wraps = { "*": "strong", _: "em", "~": "s" };
const boundary = (c) => c === undefined || !/[\p{L}\p{N}]/u.test(c);

// closing finds the mark that ends a styled span begun at i, or -1.
function closing(s, i) {
  const mark = s[i];
  if (!boundary(s[i - 1]) || s[i + 1] === undefined || /\s/.test(s[i + 1]) || s[i + 1] === mark) return -1;
  let inAngle = false;
  for (let j = i + 1; j < s.length; j++) {
    if (s[j] === "\n") return -1;
    if (s[j] === "<") inAngle = true;
    else if (s[j] === ">") inAngle = false;
    else if (s[j] === "`" && !inAngle) {
      const end = s.indexOf("`", j + 1);
      if (end > 0) j = end;
    } else if (s[j] === mark && !inAngle && !/\s/.test(s[j - 1]) && boundary(s[j + 1])) return j;
  }
  return -1;
}

// token tries to read one piece of markup at i: [node, next index].
function token(s, i, ctx) {
  const c = s[i];
  if (c === "<") {
    const end = s.indexOf(">", i);
    if (end > i + 1 && special.test(s.slice(i + 1, end)) && !s.slice(i, end).includes("\n")) return [angle(s.slice(i + 1, end), ctx), end + 1];
  } else if (c === "`") {
    const end = s.indexOf("`", i + 1);
    if (end > i + 1 && !s.slice(i, end).includes("\n")) return [code(unescape(s.slice(i + 1, end))), end + 1];
  } else if (Object.hasOwn(wraps, c)) {
    const end = closing(s, i);
    if (end > 0) return [h(wraps[c], null, ...inline(s.slice(i + 1, end), ctx)), end + 1];
  } else if (c === ":") {
    const m = /^:([a-z0-9_+-]+(?:::skin-tone-\d)?):/.exec(s.slice(i, i + 80));
    if (m && knownEmoji(m[1])) return [emoji(m[1]), i + m[0].length];
  }
  return null;
}

// inline draws text without blocks: styles, links, names, emoji and line breaks.
export function inline(s, ctx) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push(document.createTextNode(unescape(plain)));
    plain = "";
  };
  for (let i = 0; i < s.length;) {
    const found = token(s, i, ctx);
    if (found) {
      flush();
      out.push(found[0]);
      i = found[1];
    } else if (s[i] === "\n") {
      flush();
      out.push(h("br"));
      i++;
    } else {
      plain += s[i++];
    }
  }
  flush();
  return out;
}

const quoted = /^(&gt;|>) ?/;

// lines draws text without code blocks, gathering quoted lines.
function lines(s, ctx) {
  const out = [];
  let plain = [];
  let quote = [];
  const flush = () => {
    if (plain.length) out.push(h("div.text", null, ...inline(plain.join("\n"), ctx)));
    if (quote.length) out.push(h("blockquote", null, ...inline(quote.join("\n"), ctx)));
    plain = [];
    quote = [];
  };
  for (const line of s.split("\n")) {
    const isQuote = quoted.test(line);
    if (isQuote ? plain.length : quote.length) flush();
    if (isQuote) quote.push(line.replace(quoted, ""));
    else plain.push(line);
  }
  flush();
  return out;
}

// mrkdwn draws a whole text.
export function mrkdwn(text, ctx) {
  const out = [];
  String(text ?? "").split("```").forEach((part, i, all) => {
    const isCode = i % 2 === 1 && i < all.length - 1;
    if (isCode) out.push(h("pre", null, unescape(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else if (i % 2 === 1) out.push(...lines("```" + part, ctx));
    else if (part.trim()) out.push(...lines(i ? part.replace(/^\n/, "") : part, ctx));
  });
  return out;
}

// textObject draws a plain_text or mrkdwn object.
export function textObject(t, ctx) {
  if (!t) return [];
  return t.type === "mrkdwn" ? mrkdwn(t.text, ctx) : [h("div.text", null, ...plain(t))];
}

// plain draws a plain_text object, of which only emoji and line breaks mean anything.
export function plain(t) {
  const out = [];
  for (const part of String(t?.text ?? "").split(/(:[a-z0-9_+-]+:|\n)/)) {
    if (part === "\n") out.push(h("br"));
    else if (t.emoji !== false && part.length > 2 && part[0] === ":" && part.endsWith(":") && knownEmoji(part.slice(1, -1))) out.push(emoji(part.slice(1, -1)));
    else if (part) out.push(...breakable(part).map((x) => (x.nodeType ? x : document.createTextNode(x))));
  }
  return out;
}

// words is the bare text of a plain_text object, emoji included, for options and titles.
export const words = (t) => plain(t).map((n) => (n.nodeName === "BR" ? " " : n.textContent)).join("");
