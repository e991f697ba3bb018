// The fields one writes messages in.
import { h } from "./dom.js";
import { errorText } from "./dialogs.js";

// Composer ties a form, its text area, its button and its notice together.
// say(text) sends and answers {ok, error}.
export class Composer {
  constructor(form, notice, say) {
    this.form = form;
    this.field = form.querySelector("textarea");
    this.button = form.querySelector(".send");
    this.notice = notice;
    this.say = say;
    this.drafts = new Map();
    this.key = "";
    this.past = [];
    this.back = 0;
    this.field.addEventListener("input", () => this.grow());
    this.field.addEventListener("keydown", (ev) => this.keydown(ev));
    form.addEventListener("submit", (ev) => {
      ev.preventDefault();
      this.send();
    });
    form.querySelector(".composer-box").addEventListener("mousedown", (ev) => {
      if (ev.target.matches(".composer-box")) setTimeout(() => this.field.focus());
    });
  }

  keydown(ev) {
    if (ev.key === "Enter" && !ev.shiftKey && !ev.isComposing) {
      ev.preventDefault();
      this.send();
    } else if (ev.key === "ArrowUp" && (this.field.value === "" || this.back) && this.back < this.past.length) {
      ev.preventDefault();
      this.back++;
      this.fill(this.past[this.past.length - this.back]);
    } else if (ev.key === "ArrowDown" && this.back) {
      ev.preventDefault();
      this.back--;
      this.fill(this.back ? this.past[this.past.length - this.back] : "");
    } else if (ev.key.length === 1) {
      this.back = 0;
    }
  }

  // open shows the draft kept under a key, such as a channel's.
  open(key, placeholder, enabled = true) {
    if (key !== this.key) {
      this.drafts.set(this.key, this.field.value);
      this.key = key;
      this.field.value = this.drafts.get(key) || "";
      this.tell("");
      this.grow();
    }
    this.field.placeholder = placeholder;
    this.field.disabled = !enabled;
    this.form.classList.toggle("off", !enabled);
  }

  fill(text) {
    this.field.value = text;
    this.grow();
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
  }

  grow() {
    this.field.style.height = "auto";
    // A hidden field measures nothing; it keeps the height of its rows.
    if (this.field.scrollHeight) this.field.style.height = Math.min(this.field.scrollHeight, 220) + "px";
    this.button.disabled = this.field.value.trim() === "";
  }

  // tell shows a notice above the field until something is sent or it is dismissed.
  tell(text) {
    this.notice.hidden = !text;
    if (!text) return this.notice.replaceChildren();
    this.notice.replaceChildren(h("span", null, text),
      h("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: () => this.tell("") }, "✕"));
  }

  async send() {
    const text = this.field.value.trim();
    if (!text) return;
    const key = this.key;
    this.field.value = "";
    this.back = 0;
    if (this.past.at(-1) !== text) this.past.push(text);
    this.tell("");
    this.grow();
    const answer = await this.say(text);
    if (answer.ok || this.key !== key) return;
    const what = text[0] === "/" ? text.split(/\s/, 1)[0] : "The message";
    this.tell(`${what} failed: ${errorText(answer.error)}`);
    if (!this.field.value) this.fill(text);
  }
}
