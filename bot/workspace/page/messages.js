// Lists of messages: the channel's and the thread's.
import { h, avatar, displayName, reconcile } from "./dom.js";
import { clock, fullTime, fromTS, dayKey, dayName, ago } from "./dates.js";
import { body } from "./blocks.js";
import { emoji } from "./emoji.js";
import { errorText } from "./dialogs.js";
import { shortcuts } from "./shortcuts.js";
import { post } from "./api.js";

const togetherFor = 5 * 60 * 1000;

// authorOf finds or makes up the user who wrote a message.
function authorOf(m, ctx) {
  const u = ctx.user(m.user) || { id: m.user || m.username, name: m.username, is_bot: m.is_bot };
  return m.username && m.username !== u.name ? { ...u, real_name: m.username } : u;
}

// follows tells whether a message continues the one before it, under one name. One with a header, such
// as the card of a run, stands for itself.
function follows(m, before) {
  if (!before || m.user !== before.user || m.username !== before.username) return false;
  if (m.ephemeral || before.ephemeral || m.broadcast || before.broadcast) return false;
  if (m.blocks?.[0]?.type === "header") return false;
  const [a, b] = [fromTS(before.ts), fromTS(m.ts)];
  return dayKey(a) === dayKey(b) && b - a < togetherFor;
}

function file(f) {
  const size = f.size > 1024 ? `${(f.size / 1024).toFixed(1)} KB` : `${f.size ?? 0} bytes`;
  return h("details.file", null,
    h("summary", null, h("span.file-icon", { "aria-hidden": "true" }, "▤"), h("span.file-name", null, f.title || f.name), h("small", null, size)),
    h("pre", null, f.content || "(no text to show)"));
}

function reactions(m, ctx) {
  if (!m.reactions?.length) return null;
  return h("div.reactions", null, m.reactions.map((r) => {
    const names = (r.users || []).map((id) => (ctx.user(id) ? displayName(ctx.user(id)) : id)).join(", ");
    const el = h("span.reaction", { title: `${names} reacted with :${r.name}:` }, emoji(r.name), h("b", null, String(r.users?.length || 1)));
    if (r.users?.includes(ctx.as)) el.classList.add("mine");
    return el;
  }));
}

function replyLink(m, where) {
  if (where.inThread) return null;
  if (m.broadcast) return h("button.reply-link.quiet", { type: "button", onclick: () => where.openThread(m.thread_ts) }, "↳ from a thread — open it");
  if (!m.reply_count) return null;
  const el = h("button.reply-link", { type: "button", onclick: () => where.openThread(m.ts) },
    h("b", null, `${m.reply_count} ${m.reply_count === 1 ? "reply" : "replies"}`));
  if (m.latest_reply) el.append(h("span", null, `Last reply ${ago(fromTS(m.latest_reply))}`));
  return el;
}

// environment is what a message's blocks need to act.
function environment(m, ctx) {
  const container = { type: "message", channel: m.channel || ctx.channelID, ts: m.ts };
  return {
    ctx,
    act: async (block_id, action_id, action) => {
      const answer = await post("act", { as: ctx.as, container, block_id, action_id, action });
      if (!answer.ok) ctx.complain(errorText(answer.error));
    },
    find: async (block_id, action_id, value) => {
      try {
        return (await findOptions(ctx, container, block_id, action_id, value)).groups || [];
      } catch (e) {
        ctx.complain(errorText(e.message));
        return [];
      }
    },
  };
}

// findOptions asks the bot for the options of a select, as [{label, options}].
export async function findOptions(ctx, container, block_id, action_id, value, values) {
  const answer = await post("options", { as: ctx.as, container, block_id, action_id, value, values });
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

function tools(m, ctx, where) {
  if (m.ephemeral) return null;
  const container = { type: "message", channel: m.channel || ctx.channelID, ts: m.ts };
  const parts = [shortcuts(ctx, "message", container)];
  if (!where.inThread && !m.broadcast) {
    parts.unshift(h("button.icon-button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", onclick: () => where.openThread(m.ts) }, "↩"));
  }
  return parts.some(Boolean) ? h("div.tools", null, parts) : null;
}

// drawMessage draws one message; compact ones leave out avatar and name.
function drawMessage(m, compact, ctx, where) {
  const author = authorOf(m, ctx);
  const when = fromTS(m.ts);
  const stamp = h("time.stamp", { datetime: when.toISOString(), title: fullTime(when) }, clock(when));
  const el = h("article.message", { data: { ts: m.ts, user: m.user } });
  el.classList.toggle("compact", compact);
  el.classList.toggle("ephemeral", Boolean(m.ephemeral));
  const content = h("div.content");
  if (m.ephemeral) content.append(h("div.only-you", null, h("span", { "aria-hidden": "true" }, "◉ "), "Only visible to you"));
  if (!compact) {
    content.append(h("div.byline", null, h("b.author", null, displayName(author)), (m.is_bot || author.is_bot) && h("span.tag", null, "app"),
      author.is_guest && h("span.tag.guest", null, "guest"), author.title && h("span.title", null, author.title), stamp));
  }
  const drawn = body(m, environment(m, ctx));
  if (m.color) {
    drawn.classList.add("card");
    const colour = { good: "var(--good)", warning: "var(--warn)", danger: "var(--bad)" }[m.color] || (m.color[0] === "#" ? m.color : "#" + m.color);
    drawn.style.setProperty("--bar", colour);
  }
  if (m.edited) {
    const note = h("span.edited", null, "(edited)");
    const texts = drawn.lastElementChild?.matches(".context, .section, .rich-text, .section-text") ? drawn.lastElementChild.querySelectorAll(".text") : [];
    ([...texts].at(-1) || drawn).append(" ", note);
  }
  content.append(drawn, ...(m.files || []).map(file));
  const below = [reactions(m, ctx), replyLink(m, where)].filter(Boolean);
  content.append(...below);
  el.append(compact ? h("div.gutter", null, stamp) : h("div.gutter", null, avatar(author)), content);
  const t = tools(m, ctx, where);
  if (t) el.append(t);
  return el;
}

const rowOf = (box, ts) => box.querySelector(`.message[data-ts="${CSS.escape(ts)}"]`);

// viewOf notes what a person looks at; calling it again scrolls there. Not every browser does so by itself.
function viewOf(box) {
  const edge = box.getBoundingClientRect().top;
  const row = [...box.querySelectorAll(".message")].find((el) => el.getBoundingClientRect().bottom > edge);
  const top = row?.getBoundingClientRect().top;
  return () => {
    const now = row && rowOf(box, row.dataset.ts);
    if (now) box.scrollTop += now.getBoundingClientRect().top - top;
  };
}

// focusIn notes where the focus is, for a message that changes is replaced; calling it brings the focus back.
function focusIn(box) {
  const el = document.activeElement;
  const row = box.contains(el) && el.closest(".message");
  if (!row) return () => {};
  const controls = (of) => [...of.querySelectorAll("button, summary, a, input, select")];
  const at = controls(row).indexOf(el);
  const same = (x) => x && x.tagName === el.tagName && x.dataset.actionId === el.dataset.actionId;
  return () => {
    const now = !el.isConnected && rowOf(box, row.dataset.ts);
    if (!now) return;
    const there = controls(now);
    (same(there[at]) ? there[at] : there.find(same))?.focus({ preventScroll: true });
  };
}

// MessageList keeps a list on screen. A message that did not change keeps its
// element, and with it what a person is doing there.
export class MessageList {
  constructor(box, where) {
    this.box = box;
    this.where = where;
    this.drawn = new Map();
    // What is read, or the newest messages, stay in view when the pane changes its size.
    this.pinned = true;
    this.look = () => {};
    box.addEventListener("scroll", () => {
      this.pinned = this.atBottom();
      this.look = viewOf(box);
    });
    new ResizeObserver(() => (this.pinned ? this.toBottom() : this.look())).observe(box);
    // Nothing is redrawn under a pressed pointer: the press would be lost.
    box.addEventListener("pointerdown", (ev) => (this.held = Boolean(ev.target.closest("button, summary, a"))));
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => this.release()));
  }

  release() {
    this.held = false;
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.();
  }

  atBottom() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 80;
  }

  toBottom() {
    this.pinned = true;
    this.box.scrollTop = this.box.scrollHeight;
  }

  clear() {
    this.waiting = null;
    this.pinned = true;
    this.drawn.clear();
    this.box.replaceChildren();
  }

  // show draws the messages after the nodes of lead. It reports whether the newest stay in view.
  show(messages, ctx, lead = []) {
    const stay = this.atBottom();
    if (this.held) {
      this.waiting = () => this.show(messages, ctx, lead);
      return stay;
    }
    const [look, focus] = [viewOf(this.box), focusIn(this.box)];
    const names = ctx.namesKey;
    const next = new Map();
    const nodes = [...lead];
    let before = null;
    for (const m of messages) {
      const day = dayKey(fromTS(m.ts));
      if (!this.where.inThread && (!before || dayKey(fromTS(before.ts)) !== day)) nodes.push(this.keep(next, "day " + day, day, () => divider(dayName(fromTS(m.ts)))));
      const compact = follows(m, before);
      const key = JSON.stringify([m, compact, names]);
      const node = this.keep(next, "m " + m.ts + (m.ephemeral ? " e" : ""), key, () => drawMessage(m, compact, ctx, this.where));
      nodes.push(node);
      if (this.where.inThread && !before && messages.length > 1) {
        const n = messages.length - 1;
        nodes.push(this.keep(next, "replies", String(n), () => divider(`${n} ${n === 1 ? "reply" : "replies"}`)));
      }
      before = m;
    }
    this.drawn = next;
    reconcile(this.box, nodes);
    look();
    focus();
    if (stay) this.toBottom();
    return stay;
  }

  keep(next, id, key, draw) {
    const old = this.drawn.get(id);
    const node = old?.key === key ? old.node : draw();
    next.set(id, { key, node });
    return node;
  }
}

function divider(text) {
  return h("div.divider", { role: "separator" }, h("span", null, text));
}
