// The markdown block: the part of markdown that bots write, everything else as text.
import { h, link } from "./dom.js";

const marks = /(`[^`\n]+`|\*\*[^*\n]+\*\*|~~[^~\n]+~~|\[[^\]\n]+\]\([^)\s]+\)|\*[^*\s][^*\n]*\*|\b_[^_\n]+_\b)/;

function spans(text) {
  return text.split(marks).filter(Boolean).map((part) => {
    if (part.length > 2 && part[0] === "`" && part.endsWith("`")) return h("code", null, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) return h("strong", null, ...spans(part.slice(2, -2)));
    if (part.length > 4 && part.startsWith("~~") && part.endsWith("~~")) return h("s", null, ...spans(part.slice(2, -2)));
    const m = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    if (m) return link(m[2], ...spans(m[1]));
    if (part.length > 2 && /^(\*.*\*|_.*_)$/.test(part)) return h("em", null, part.slice(1, -1));
    return part;
  });
}

// markdown draws a markdown text line by line.
export function markdown(text) {
  const el = h("div.markdown");
  let code = null;
  for (const line of String(text ?? "").split("\n")) {
    if (line.startsWith("```")) {
      if (code) el.append(h("pre", null, code.join("\n")));
      code = code ? null : [];
      continue;
    }
    if (code) {
      code.push(line);
      continue;
    }
    const heading = /^(#{1,6})\s+(.*)/.exec(line);
    const item = /^(\s*)([-*]|\d+[.)])\s+(.*)/.exec(line);
    if (heading) el.append(h("h4", null, ...spans(heading[2])));
    else if (item) el.append(h("div.md-item.indent-" + Math.min(item[1].length >> 1, 4), null, h("span.bullet", null, /\d/.test(item[2]) ? item[2] : "•"), h("span", null, ...spans(item[3]))));
    else if (line.startsWith(">")) el.append(h("blockquote", null, ...spans(line.replace(/^>\s?/, ""))));
    else if (/^(-{3,}|\*{3,})$/.test(line.trim())) el.append(h("hr"));
    else if (line.trim()) el.append(h("div.text", null, ...spans(line)));
    else el.append(h("div.gap"));
  }
  if (code) el.append(h("pre", null, code.join("\n")));
  return el;
}
