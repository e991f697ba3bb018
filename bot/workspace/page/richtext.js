// rich_text blocks: sections, lists, code and quotes.
import { h, link, breakable } from "./dom.js";
import { emoji } from "./emoji.js";
import { formatDate } from "./dates.js";
import { mention, channelLink, code } from "./mrkdwn.js";

function withLines(text) {
  return String(text ?? "").split("\n").flatMap((line, i) => (i ? [h("br"), ...breakable(line)] : breakable(line)));
}

function styled(nodes, style) {
  let inside = nodes;
  const short = nodes.every((n) => typeof n === "string") && nodes.join("").length <= 40;
  const wrap = (tag) => {
    inside = [h(tag, null, ...inside)];
  };
  if (style?.code) wrap(short ? "code.short" : "code");
  if (style?.strike) wrap("s");
  if (style?.italic) wrap("em");
  if (style?.bold) wrap("strong");
  if (style?.underline) wrap("u");
  return inside;
}

function leaf(e, ctx) {
  switch (e.type) {
    case "text":
      return withLines(e.text);
    case "link":
      return [link(e.url, e.text || e.url)];
    case "user":
      return [mention(e.user_id, "", ctx)];
    case "channel":
      return [channelLink(e.channel_id, "", ctx)];
    case "usergroup":
      return [h("span.mention", null, "@" + (e.name || e.usergroup_id))];
    case "broadcast":
      return [h("span.mention.me", null, "@" + e.range)];
    case "emoji":
      return [emoji(e.name)];
    case "date": {
      const el = h("time.date", { title: e.fallback }, formatDate(e.timestamp, e.format || "{date_num} {time}", e.fallback));
      return [e.url ? link(e.url, el) : el];
    }
    case "color":
      return [code(e.value)];
  }
  return [String(e.text ?? "")];
}

const leaves = (elements, ctx) => (elements || []).flatMap((e) => styled(leaf(e, ctx), e.style));
const bare = (elements) => (elements || []).map((e) => e.text ?? e.url ?? "").join("");

function list(e, ctx) {
  const el = h(e.style === "ordered" ? "ol" : "ul", { start: e.offset ? e.offset + 1 : undefined });
  el.className = "rt-list indent-" + Math.min(Number(e.indent) || 0, 4);
  if (e.border) el.classList.add("bordered");
  for (const item of e.elements || []) el.append(h("li", null, ...leaves(item.elements, ctx)));
  return el;
}

// richText draws the elements of a rich_text block.
export function richText(block, ctx) {
  const el = h("div.rich-text");
  for (const e of block.elements || []) {
    if (e.type === "rich_text_list") el.append(list(e, ctx));
    else if (e.type === "rich_text_preformatted") el.append(h("pre", null, bare(e.elements)));
    else if (e.type === "rich_text_quote") el.append(h("blockquote", null, ...leaves(e.elements, ctx)));
    else el.append(h("div.text", null, ...leaves(e.elements, ctx)));
  }
  return el;
}
