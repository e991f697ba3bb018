// Block Kit, drawn. env: {ctx, act(block, action, part), find(block, action, text),
// register(block, action, control), saved(block, action)}.
import { h } from "./dom.js";
import { mrkdwn, textObject, plain, words } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { markdown } from "./markdown.js";
import { element } from "./actions.js";
import { control } from "./controls.js";

// picture stands for an image: the page loads nothing from outside.
function picture(b) {
  return h("span.picture", { role: "img", title: b.alt_text }, h("span", { "aria-hidden": "true" }, "🖼 "), b.alt_text || "image");
}

function section(b, id, env) {
  const body = h("div.section-body");
  if (b.text) body.append(h("div.section-text", null, textObject(b.text, env.ctx)));
  if (b.fields?.length) body.append(h("div.fields", null, b.fields.map((f) => h("div.field-cell", null, textObject(f, env.ctx)))));
  const el = h("div.section", null, body);
  if (b.accessory) {
    const part = b.accessory.type === "image" ? picture(b.accessory) : element(b.accessory, id, env);
    el.append(h("div.accessory", null, part));
  }
  return el;
}

function context(b, env) {
  return h("div.context", null, (b.elements || []).map((e) =>
    e.type === "image" ? picture(e) : h("span.context-part", null, textObject(e, env.ctx))));
}

function table(b, env) {
  const settings = b.column_settings || [];
  const el = h("table");
  (b.rows || []).forEach((row, i) => {
    const tr = h("tr");
    row.forEach((cell, j) => {
      const td = h(i === 0 ? "th" : "td", { scope: i === 0 ? "col" : undefined });
      if (settings[j]?.align) td.classList.add("align-" + settings[j].align);
      td.append(cell.type === "rich_text" ? richText(cell, env.ctx) : String(cell.text ?? ""));
      tr.append(td);
    });
    el.append(tr);
  });
  return h("div.table", { tabindex: "0" }, el);
}

let serial = 0;

// input draws an input block: label, control, hint and a place for its error.
function input(b, id, env) {
  const e = b.element || {};
  const at = "input-" + ++serial;
  const c = control(e, {
    ctx: env.ctx, saved: env.saved?.(id, e.action_id), find: (text) => env.find(id, e.action_id, text),
    changed: (state) => b.dispatch_action && env.act(id, e.action_id, state),
  });
  if (!c) return h("div.unknown", null, `(${e.type} is not drawn here)`);
  const field = c.node.matches(".field") ? c.node : c.node.querySelector(".field");
  const label = h(field ? "label.input-label" : "div.input-label", { id: at + "-label", for: field ? at : undefined }, ...plain(b.label));
  if (b.optional) label.append(h("span.optional", null, " (optional)"));
  if (field) field.id = at;
  else c.node.setAttribute("aria-labelledby", at + "-label");
  const error = h("p.input-error", { id: at + "-error", hidden: true });
  (field || c.node).setAttribute("aria-describedby", at + "-error");
  const el = h("div.input", { data: { blockId: id, actionId: e.action_id } }, label, c.node,
    b.hint && h("p.input-hint", null, ...plain(b.hint)), error);
  // What was wrong is wrong no longer once it is changed; sending the form looks again.
  el.addEventListener("input", () => {
    error.hidden = true;
    el.classList.remove("wrong");
    field?.removeAttribute("aria-invalid");
  });
  env.register?.(id, e.action_id, c, { block: b, el, field, error });
  return el;
}

function image(b) {
  return h("figure.image", null, b.title && h("figcaption", null, words(b.title)), picture(b));
}

function block(b, id, env) {
  switch (b.type) {
    case "header":
      return h("h3.header", null, ...plain(b.text));
    case "section":
      return section(b, id, env);
    case "context":
      return context(b, env);
    case "divider":
      return h("hr");
    case "actions":
      return h("div.actions", null, (b.elements || []).map((e) => element(e, id, env)));
    case "input":
      return input(b, id, env);
    case "rich_text":
      return richText(b, env.ctx);
    case "image":
      return image(b);
    case "markdown":
      return markdown(b.text);
    case "table":
      return table(b, env);
  }
  return h("div.unknown", null, `(${b.type} is not drawn here)`);
}

// blocks draws a list of blocks.
export function blocks(list, env) {
  return h("div.blocks", null, (list || []).map((b, i) => {
    const id = b.block_id || "b" + i; // as the workspace names it
    const el = block(b, id, env);
    el.dataset.blockId ??= id;
    return el;
  }));
}

// body draws a message's blocks, or its text when it has none.
export function body(m, env) {
  if (m.blocks?.length) return blocks(m.blocks, env);
  return h("div.blocks", null, h("div.section-text", null, mrkdwn(m.text, env.ctx)));
}
