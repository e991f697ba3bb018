// The page of the local workspace. It draws what ./api answers and fetches again
// whenever ./api/stream says that something changed.
//
// Selectors that browser tests may rely on:
//   [data-act-as="ana"]            act as that user (aria-pressed="true" on the current one)
//   [data-channel="deploys"]       open a channel (aria-current on the open one); .badge inside counts unread
//   #home-tab, #home               open the Home tab; its page
//   #messages .message[data-ts]    messages; .ephemeral, .compact; [data-user]
//   .message button[data-action-id], [data-block-id]   buttons and the blocks they are in
//   .choice-holder[data-action-id] holds a select, date, checkbox or radio element
//   .overflow > button[data-action-id], .menu-item[data-value]   overflow menus
//   .reply-link                    opens a thread
//   #composer, #send, #notice      write in the channel; errors of sending
//   .suggestion                    the hint of an empty channel; fills #composer
//   #thread, #thread-composer, #thread-send, #thread-close     the thread pane
//   #modal, #modal [data-role="submit"], #modal [data-role="close"], #modal .input-error
//   #modal .input[data-block-id][data-action-id]               an input block
//   #confirm-yes, #confirm-no      answers to a confirm dialog
//   .option[data-value]            a found option of an external select; .option-label above a group
//   [data-shortcuts="global"], .menu-item[data-callback-id]    shortcuts beside the composer; "message" on a message
//   .toast                         errors of actions
//   #app[data-connection="open"]   the stream is connected
import { $, h, displayName } from "./dom.js";
import { get, post, stream, oneAtATime } from "./api.js";
import { MessageList } from "./messages.js";
import { Modal, Home } from "./modal.js";
import { Composer } from "./composer.js";
import { shortcuts } from "./shortcuts.js";
import { Sidebar, drawPeople } from "./sidebar.js";
import { readPlace, writePlace } from "./place.js";
import { toast, errorText } from "./dialogs.js";

class App {
  constructor() {
    this.state = { users: [], channels: [] };
    this.as = "";
    this.where = { home: false, channel: "", thread: "" };
    this.list = new MessageList($("messages"), { openThread: (ts) => this.openThread(ts) });
    this.replies = new MessageList($("thread-messages"), { inThread: true, openThread: () => {} });
    this.home = new Home($("home"));
    this.modal = new Modal(() => this.loadState());
    this.sidebar = new Sidebar((c) => this.openChannel(c.id), () => this.openHome());
    this.composer = new Composer($("composer-form"), $("notice"), (text) => this.say(text, ""));
    this.threadComposer = new Composer($("thread-form"), $("thread-notice"), (text) => this.say(text, this.where.thread));
    this.loadState = oneAtATime(() => this.guard(() => this.fetchState()));
    this.loadMessages = oneAtATime(() => this.guard(() => this.fetchMessages()));
    this.loadThread = oneAtATime(() => this.guard(() => this.fetchThread()));
    this.loadHome = oneAtATime(() => this.guard(() => this.fetchHome()));
    this.wire();
  }

  wire() {
    $("thread-close").addEventListener("click", () => this.openThread(""));
    $("jump").addEventListener("click", () => this.list.toBottom());
    $("messages").addEventListener("scroll", () => this.list.atBottom() && ($("jump").hidden = true));
    addEventListener("hashchange", () => this.followAddress());
    addEventListener("keydown", (ev) => {
      if (ev.key === "Escape" && !ev.defaultPrevented && this.where.thread && !document.querySelector("dialog[open]")) this.openThread("");
    });
  }

  async start() {
    const place = readPlace(this.state);
    this.where.channel = place.channel;
    this.where.home = place.home;
    this.wantedAs = place.as;
    for (let wait = 500; !this.state.as; wait = Math.min(wait * 2, 8000)) {
      try {
        await this.first();
      } catch {
        await new Promise((next) => setTimeout(next, wait));
      }
    }
  }

  // first learns who there is, then acts as the one the address names.
  async first() {
    const state = await get("state", { as: "" });
    const people = state.users.filter((u) => !u.is_bot);
    const me = people.find((u) => this.wantedAs && (u.id === this.wantedAs || u.name === this.wantedAs))
      || people.find((u) => u.id === state.as) || people[0];
    if (!me) throw new Error("no one to act as");
    await this.actAs(me.id);
    this.state.as ||= me.id;
  }

  ctx() {
    const byID = (list, id) => list.find((x) => x.id === id);
    return {
      as: this.as, channelID: this.where.channel, namesKey: this.namesKey,
      user: (id) => byID(this.state.users, id), channel: (id) => byID(this.state.channels, id),
      users: () => this.state.users, channels: () => this.state.channels, shortcuts: () => this.state.shortcuts || [],
      openChannel: (id) => this.openChannel(id), complain: (text) => toast(text),
    };
  }

  // guard shows what went wrong in f, once per kind of trouble.
  async guard(f) {
    try {
      await f();
      this.trouble = "";
    } catch (e) {
      if (e.message !== this.trouble && e.message !== "network") toast(errorText(e.message));
      this.trouble = e.message;
    }
  }

  async actAs(id) {
    if (id === this.as) return;
    this.as = id;
    this.endStream?.();
    this.list.clear();
    this.replies.clear();
    this.home.clear();
    this.modal.show(null, this.ctx());
    if (this.channel()?.is_im) this.where.thread = "";
    await this.loadState();
    this.endStream = stream(id, (event) => this.news(event), (open) => this.connected(open));
    await Promise.all([this.open(), this.where.thread && this.loadThread()]);
  }

  connected(open) {
    const again = open && this.lost;
    this.lost = !open;
    this.sidebar.connected(open);
    if (again || (open && !this.state.users.length)) this.refresh();
  }

  refresh() {
    this.loadState();
    if (this.where.home) this.loadHome();
    else this.loadMessages();
    if (this.where.thread) this.loadThread();
  }

  // news takes one event of the stream.
  news(event) {
    const here = event.channel === this.where.channel && !this.where.home;
    switch (event.kind) {
      case "message":
      case "ephemeral":
        if (!here || document.hidden) this.sidebar.count(this.as, event, this.state.channels);
        if (here) this.loadMessages();
        if (this.where.thread && event.channel === this.where.channel) this.loadThread();
        if (!this.state.channels.some((c) => c.id === event.channel)) this.loadState();
        this.drawAround();
        break;
      case "home":
        if (this.where.home) this.loadHome();
        break;
      default:
        this.loadState();
    }
  }

  async fetchState() {
    const as = this.as;
    const state = await get("state", { as });
    if (as !== this.as) return;
    const bot = (state.users || []).find((u) => u.is_bot);
    for (const c of state.channels || []) if (c.is_im) c.name ||= bot ? displayName(bot) : "bot";
    this.state = { ...state, users: state.users || [], channels: state.channels || [], as };
    this.namesKey = JSON.stringify([as, this.state.users, this.state.channels.map((c) => [c.id, c.name])]);
    if (!this.channel()) this.where.channel = this.firstChannel()?.id || "";
    if (!this.where.home) this.sidebar.read(as, this.where.channel, this.channel()?.last_ts);
    this.drawAround();
    this.modal.show(state.view || null, this.ctx());
  }

  // channel is the open one; the address may name it instead of giving its id.
  channel() {
    const c = this.state.channels.find((x) => x.id === this.where.channel) || this.state.channels.find((x) => x.name === this.where.channel);
    if (c) this.where.channel = c.id;
    return c;
  }

  firstChannel() {
    const open = this.state.channels.filter((c) => !c.is_archived && !c.is_im);
    return open.find((c) => c.is_member) || open[0] || this.state.channels[0];
  }

  async fetchMessages() {
    const { as, where: { channel, home } } = this;
    if (home || !channel) return;
    const { messages } = await get("messages", { as, channel });
    if (as !== this.as || channel !== this.where.channel || this.where.home) return;
    const list = messages || [];
    const last = list.at(-1)?.ts;
    const stayed = this.list.show(list, this.ctx(), list.length ? [] : [this.welcome()]);
    if (!stayed && last !== this.lastShown) $("jump").hidden = false;
    this.lastShown = last;
    this.sidebar.read(as, channel, last);
    this.sidebar.read(as, channel, this.channel()?.last_ts);
    this.drawAround();
  }

  welcome() {
    const c = this.channel();
    const hint = this.state.hint;
    return h("div.empty", null, h("b", null, c.is_im ? c.name : "# " + c.name), h("p", null, c.topic || "Nothing has been said here yet."),
      hint && h("button.suggestion", { type: "button", onclick: () => this.composer.fill(hint) }, h("span", null, "Try"), h("code", null, hint)));
  }

  async fetchThread() {
    const { as, where: { channel, thread } } = this;
    if (!thread) return;
    const { messages } = await get("thread", { as, channel, ts: thread });
    if (as !== this.as || thread !== this.where.thread || channel !== this.where.channel) return;
    this.replies.show(messages || [], this.ctx());
  }

  async fetchHome() {
    const as = this.as;
    const { view } = await get("home", { as });
    if (as === this.as && this.where.home) this.home.show(view, this.ctx());
  }

  openChannel(id) {
    this.where = { home: false, channel: id, thread: id === this.where.channel ? this.where.thread : "" };
    return this.open(true);
  }

  async openHome() {
    this.where = { home: true, channel: this.where.channel, thread: "" };
    await this.open();
  }

  // open shows the place this.where names.
  async open(focus) {
    this.sidebar.collapse();
    writePlace(this.ctx().user(this.as), this.channel(), this.where.home);
    $("jump").hidden = true;
    this.lastShown = undefined;
    if (!this.where.home) this.list.clear(); // an empty list shows its end when it fills
    this.drawAround();
    if (this.where.home) {
      const as = this.as;
      const answer = await post("open_home", { as });
      if (!answer.ok) toast(errorText(answer.error));
      return this.loadHome();
    }
    if (focus && matchMedia("(min-width: 700px)").matches) $("composer").focus();
    await this.loadMessages();
  }

  async openThread(ts) {
    const back = this.where.thread;
    this.where.thread = ts;
    if (ts !== back) this.replies.clear();
    this.drawAround();
    if (!ts) return document.querySelector(`#messages .message[data-ts="${CSS.escape(back)}"] .reply-link`)?.focus();
    this.replies.toBottom();
    $("thread-composer").focus();
    await this.loadThread();
  }

  // drawAround draws everything but the messages: sidebar, header, panes, composers.
  drawAround() {
    const c = this.channel();
    const { home, thread } = this.where;
    this.sidebar.draw(this.state, this.as, home ? "" : c?.id, home);
    drawPeople($("act-as"), this.state.users, this.as, (u) => this.actAs(u.id));
    $("channel-name").textContent = home ? "Home" : c ? (c.is_im ? c.name : "#" + c.name) : "";
    $("channel-topic").textContent = home ? "What the bot shows you" : c?.topic || "";
    $("home").hidden = !home;
    $("messages").hidden = home;
    $("composer-form").hidden = home;
    $("thread").hidden = !thread;
    $("app").classList.toggle("with-thread", Boolean(thread));
    this.drawShortcuts();
    $("thread-channel").textContent = c ? (c.is_im ? c.name : "#" + c.name) : "";
    if (!c) return;
    const placeholder = c.is_archived ? "This channel is archived" : `Message ${c.is_im ? c.name : "#" + c.name}` + (this.state.hint ? `, or try ${this.state.hint}` : "");
    this.composer.open(this.as + c.id, placeholder, !c.is_archived);
    if (thread) this.threadComposer.open(this.as + c.id + thread, "Reply…", !c.is_archived);
    document.title = `${this.sidebar.unread(this.as) ? "• " : ""}${home ? "Home" : c.name} · ${this.state.team || "Local workspace"}`;
  }

  // drawShortcuts draws the shortcuts beside the composer, once: an open menu stays open.
  drawShortcuts() {
    const key = JSON.stringify([this.as, this.state.shortcuts]);
    if (key === this.shortcutsKey) return;
    this.shortcutsKey = key;
    $("shortcuts").replaceChildren(shortcuts(this.ctx(), "global") || "");
  }

  async say(text, thread_ts) {
    const answer = await post("say", { as: this.as, channel: this.where.channel, thread_ts, text });
    if (answer.ok) (thread_ts ? this.replies : this.list).toBottom();
    return answer;
  }

  // followAddress goes where an edited address points.
  followAddress() {
    const place = readPlace(this.state);
    this.where.home = place.home;
    if (place.open) this.where.channel = place.open.id;
    if (place.user && place.user.id !== this.as) this.actAs(place.user.id);
    else this.open();
  }
}

new App().start();
