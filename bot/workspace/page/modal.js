// Views: the modal with its form, and the Home tab.
import { $, h } from "./dom.js";
import { blocks } from "./blocks.js";
import { words, plain } from "./mrkdwn.js";
import { isEmpty } from "./controls.js";
import { errorText } from "./dialogs.js";
import { findOptions } from "./messages.js";
import { post } from "./api.js";

// Form is the drawn blocks of a view and what a person entered in them.
class Form {
  constructor(view, ctx, before) {
    this.view = view;
    this.ctx = ctx;
    this.controls = new Map();
    const container = { type: "view", view_id: view.id };
    this.env = {
      ctx,
      saved: (block, action) => before?.controls.get(block + "\n" + action)?.control.state(),
      register: (block, action, control, input) => this.controls.set(block + "\n" + action, { block, action, control, input }),
      act: async (block_id, action_id, action) => {
        const answer = await post("act", { as: ctx.as, container, block_id, action_id, action, values: this.values() });
        if (!answer.ok) ctx.complain(errorText(answer.error));
      },
      find: async (block, action, value) => {
        try {
          return (await findOptions(ctx, container, block, action, value, this.values())).groups || [];
        } catch (e) {
          ctx.complain(errorText(e.message));
          return [];
        }
      },
    };
    this.el = blocks(view.blocks, this.env);
  }

  values() {
    const out = {};
    for (const { block, action, control } of this.controls.values()) (out[block] ??= {})[action] = control.state();
    return out;
  }

  // mistakes finds what Slack's own client would not send.
  mistakes() {
    const out = {};
    for (const { block, control, input } of this.controls.values()) {
      if (!input) continue;
      if (isEmpty(control.state())) {
        if (!input.block.optional && !input.field?.validity.badInput) out[block] = "Please complete this required field.";
        else if (input.field?.validity.badInput) out[block] = "Please enter a valid value.";
      } else if (input.field?.validity && !input.field.validity.valid) {
        out[block] = input.field.validationMessage;
      } else if (input.field && input.block.element.min_length > input.field.value.length) {
        out[block] = `Please enter at least ${input.block.element.min_length} characters.`;
      }
    }
    return out;
  }

  // show puts errors under their inputs and goes to the first one.
  show(errors) {
    let first = null;
    const left = { ...errors };
    for (const { block, control, input } of this.controls.values()) {
      if (!input) continue;
      const text = errors[block];
      input.error.hidden = !text;
      input.error.textContent = text || "";
      input.el.classList.toggle("wrong", Boolean(text));
      input.field?.setAttribute("aria-invalid", String(Boolean(text)));
      if (text) first ??= input.field || control.node.querySelector("input");
      delete left[block];
    }
    first?.focus();
    first?.closest(".input")?.scrollIntoView({ block: "nearest" });
    return Object.values(left);
  }
}

// Modal is the dialog that shows the view on top of the acting user's stack.
export class Modal {
  // changed is called when the server may have another view for us.
  constructor(changed) {
    this.dialog = $("modal");
    this.changed = changed;
    this.form = null;
    this.key = "";
    this.dialog.addEventListener("cancel", (ev) => {
      ev.preventDefault();
      this.close();
    });
    // Browsers close a dialog on a second Escape whatever cancel says; the view stays ours to close.
    this.dialog.addEventListener("close", () => this.form && this.close());
  }

  // show draws a view, or closes the dialog when there is none. A view that only
  // changed keeps what was entered in the inputs it still has.
  show(view, ctx) {
    if (!view) {
      this.form = null;
      this.key = "";
      if (this.dialog.open) this.dialog.close();
      return;
    }
    const key = JSON.stringify([ctx.as, view]);
    if (key === this.key) return;
    const before = this.form && this.form.view.id === view.id ? this.form : null;
    const focus = before && document.activeElement?.closest?.("#modal [data-block-id]")?.dataset.blockId;
    this.key = key;
    this.form = new Form(view, ctx, before);
    this.draw(view, before ? this.dialog.querySelector(".dialog-body")?.scrollTop : 0);
    if (!this.dialog.open) this.dialog.showModal();
    const target = focus ? `.dialog-body [data-block-id="${CSS.escape(focus)}"] :is(input,select,textarea,button)` : ".dialog-body :is(input,select,textarea):not([disabled])";
    (this.dialog.querySelector(target) || this.dialog.querySelector(".solid, .dialog-foot button"))?.focus({ preventScroll: Boolean(before) });
  }

  draw(view, scroll) {
    const closing = h("button.button", { type: "button", data: { role: "close" }, onclick: () => this.close() }, view.close ? words(view.close) : "Cancel");
    this.submitButton = view.submit && h("button.button.primary.solid", { type: "submit", data: { role: "submit" } }, ...plain(view.submit));
    const body = h("div.dialog-body", null, this.form.el);
    const form = h("form.view", { novalidate: true, autocomplete: "off" },
      h("header", null, h("h2", { id: "modal-title" }, view.title ? words(view.title) : "Dialog"),
        h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => this.close() }, "✕")),
      body, h("p.form-error", { role: "alert", hidden: true }), h("div.dialog-foot", null, closing, this.submitButton));
    form.addEventListener("submit", (ev) => {
      ev.preventDefault();
      if (view.submit) this.submit();
    });
    this.dialog.replaceChildren(form);
    body.scrollTop = scroll || 0;
  }

  complain(texts) {
    const p = this.dialog.querySelector(".form-error");
    if (!p) return;
    p.hidden = !texts.length;
    p.textContent = texts.join(" ");
  }

  async submit() {
    const form = this.form;
    if (!form || this.submitButton.classList.contains("busy")) return;
    const mistakes = form.mistakes();
    this.complain(form.show(mistakes));
    if (Object.keys(mistakes).length) return;
    const button = this.submitButton;
    button.classList.add("busy");
    const answer = await post("submit", { as: form.ctx.as, view_id: form.view.id, values: form.values() });
    button.classList.remove("busy");
    if (this.form !== form) return;
    const errors = answer.errors || {};
    if (Object.keys(errors).length) this.complain(form.show(errors));
    else if (!answer.ok) this.complain([errorText(answer.error)]);
    else this.changed();
  }

  async close() {
    const form = this.form;
    if (!form) return;
    this.form = null;
    this.dialog.close();
    const answer = await post("close", { as: form.ctx.as, view_id: form.view.id });
    if (!answer.ok) form.ctx.complain(errorText(answer.error));
    this.key = "";
    this.changed();
  }
}

// Home is the Home tab's page.
export class Home {
  constructor(box) {
    this.box = box;
    this.clear();
  }

  clear() {
    this.key = "";
    this.form = null;
    this.box.replaceChildren();
  }

  show(view, ctx) {
    const key = JSON.stringify([ctx.as, ctx.namesKey, view]);
    if (key === this.key) return;
    this.key = key;
    const scroll = this.box.scrollTop;
    this.form = view ? new Form(view, ctx, this.form) : null;
    const inside = this.form ? this.form.el : h("div.empty", null, h("b", null, "Nothing here yet"), h("p", null, "The bot has not published its Home tab for you."));
    this.box.replaceChildren(h("div.home-page", null, inside));
    this.box.scrollTop = scroll;
  }
}
