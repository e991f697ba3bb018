// The sidebar with the channels and what is unread, and the act-as switch.
import { $, h, avatar, displayName, reconcile } from "./dom.js";

export class Sidebar {
  constructor(openChannel, openHome) {
    this.openChannel = openChannel;
    this.items = new Map();
    this.counts = new Map();
    this.lastRead = new Map();
    $("home-tab").addEventListener("click", openHome);
    $("menu").addEventListener("click", () => this.toggle(!document.body.classList.contains("menu-open")));
    $("scrim").addEventListener("click", () => this.collapse());
    addEventListener("keydown", (ev) => ev.key === "Escape" && this.collapse());
  }

  toggle(open) {
    document.body.classList.toggle("menu-open", open);
    $("menu").setAttribute("aria-expanded", String(open));
  }

  collapse() {
    this.toggle(false);
  }

  connected(open) {
    $("app").dataset.connection = open ? "open" : "connecting";
    $("connection-text").textContent = open ? "Connected" : "Connecting…";
  }

  // count adds an event's message to what is unread, unless it is an edit or a reply.
  count(as, event, channels) {
    const key = as + " " + event.channel;
    const c = channels.find((x) => x.id === event.channel);
    const newest = [c?.last_ts, this.lastRead.get(key), this.counts.get(key)?.ts].reduce((a, b) => (Number(b || 0) > Number(a || 0) ? b : a), "0");
    if (!event.ts || Number(event.ts) <= Number(newest)) return;
    if (event.thread_ts && event.thread_ts !== event.ts) return;
    this.counts.set(key, { n: (this.counts.get(key)?.n || 0) + 1, ts: event.ts });
  }

  // read notes that a user has seen a channel up to ts.
  read(as, channel, ts) {
    const key = as + " " + channel;
    this.counts.delete(key);
    if (Number(ts || 0) >= Number(this.lastRead.get(key) || 0)) this.lastRead.set(key, ts || "0");
  }

  // unreadIn is how many messages of a channel a user has not seen.
  unreadIn(as, c) {
    const key = as + " " + c.id;
    const counted = this.counts.get(key)?.n || 0;
    const mark = this.lastRead.get(key);
    // News that came while we acted as somebody else was never counted, but it shows in last_ts.
    const missed = mark === undefined ? c.is_im && Number(c.last_ts || 0) > 0 : Number(c.last_ts || 0) > Number(mark);
    return counted || (missed ? 1 : 0);
  }

  unread(as) {
    return [...this.counts].some(([key, c]) => key.startsWith(as + " ") && c.n > 0);
  }

  draw(state, as, current, home) {
    $("team-name").textContent = state.team || "Workspace";
    setCurrent($("home-tab"), home);
    const visible = state.channels.filter((c) => !c.is_archived || c.id === current);
    const item = (c) => this.item(c, as, c.id === current);
    const rooms = visible.filter((c) => !c.is_im).map(item);
    const direct = visible.filter((c) => c.is_im).map(item);
    this.titles ||= [h("h2.nav-title", null, "Channels"), h("h2.nav-title", null, "Direct messages")];
    reconcile($("channel-list"), [...(rooms.length ? [this.titles[0], ...rooms] : []), ...(direct.length ? [this.titles[1], ...direct] : [])]);
  }

  item(c, as, current) {
    let el = this.items.get(c.id);
    if (!el) {
      el = h("button.nav-item", { type: "button", onclick: () => this.openChannel(c) },
        h("span.nav-icon", { "aria-hidden": "true" }), h("span.nav-name"), h("span.badge", { hidden: true }));
      this.items.set(c.id, el);
    }
    const [icon, name, badge] = el.children;
    el.dataset.channel = c.name;
    icon.textContent = c.is_im ? "✦" : c.is_archived ? "▣" : "#";
    name.textContent = c.name;
    setCurrent(el, current);
    el.classList.toggle("outside", !c.is_im && !c.is_member);
    const n = current ? 0 : this.unreadIn(as, c);
    el.classList.toggle("unread", n > 0);
    badge.hidden = n === 0;
    badge.textContent = n > 99 ? "99+" : String(n);
    badge.setAttribute("aria-label", n + " unread");
    return el;
  }
}

function setCurrent(el, yes) {
  el.classList.toggle("current", Boolean(yes));
  if (yes) el.setAttribute("aria-current", "page");
  else el.removeAttribute("aria-current");
}

// drawPeople draws the switch that chooses whom to act as.
export function drawPeople(box, users, as, choose) {
  const people = users.filter((u) => !u.is_bot);
  const key = JSON.stringify(people);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(h("span.act-label", null, "Act as"), ...people.map((u) => {
      const name = displayName(u);
      return h("button.person", { type: "button", data: { actAs: u.name, id: u.id }, title: u.title ? `${name}, ${u.title}` : name, onclick: () => choose(u) },
        avatar(u, "small"), h("span.person-text", null, h("span.person-name", null, name), u.title && h("span.person-role", null, u.title)));
    }));
  }
  for (const b of box.querySelectorAll(".person")) {
    b.setAttribute("aria-pressed", String(b.dataset.id === as));
    b.setAttribute("aria-label", b.title);
  }
}
