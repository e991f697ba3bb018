// What the tests know about looking at a page. Each expression of a test runs with these in scope.
const shown = (el) => el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && el.getClientRects().length > 0;
const reads = (el) => (el.innerText || el.value || "").replace(/\s+/g, " ").trim();
const all = (selector, ...texts) => [...document.querySelectorAll(selector)].filter((el) => shown(el) && texts.every((text) => reads(el).includes(text)));

// until calls look once a frame until it answers with something.
const until = async (look) => {
  for (;;) {
    const found = look();
    if (found) return found;
    await new Promise(requestAnimationFrame);
  }
};

// spot is where a person would press an element: in its middle, once it stands still and nothing covers it.
const spot = (find) => {
  let before = "";
  return until(() => {
    const el = find();
    if (!el || el.disabled) return null;
    el.scrollIntoView({ block: "nearest" });
    const r = el.getBoundingClientRect();
    const at = [r.x + r.width / 2, r.y + r.height / 2];
    const still = before === String(at);
    before = String(at);
    return still && el.contains(document.elementFromPoint(...at)) ? at : null;
  });
};

// settled waits until nothing moves but what moves for ever.
const settled = () => until(() => document.fonts.status === "loaded" &&
  document.getAnimations().every((a) => a.playState === "finished" || a.effect.getTiming().iterations === Infinity));

// tooWide names what reaches out of the window to the side, and panes with more in them than their width shows.
const tooWide = () => {
  const out = [...document.querySelectorAll("body *")].filter((el) => shown(el) && !el.closest(".table, pre") && el.getBoundingClientRect().right > innerWidth + 1);
  const cut = [...document.querySelectorAll(".scroll, .dialog-body")].filter((el) => shown(el) && el.scrollWidth > el.clientWidth);
  return [...out, ...cut].map((el) => `${el.tagName} ${el.id} ${el.className} ${reads(el).slice(0, 60)}`);
};

// rgba is a CSS colour as the screen shows it.
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);

// behind is the colour that lies behind the text of an element; nothing when it is not of one colour.
const behind = (el) => {
  const layers = [];
  for (let at = el; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.backgroundImage !== "none" && !at.matches("select")) return null;
    layers.push(rgba(style.backgroundColor));
    if (layers.at(-1)[3] === 1) break;
  }
  return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
};

// pale names the texts that stand out from what is behind them by less than WCAG 2.2 asks for (AA, 1.4.3).
const pale = () => [...document.querySelectorAll("body *")].filter((el) => shown(el) && !el.closest("[aria-hidden], :disabled") &&
  [...el.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())).flatMap((el) => {
  const back = behind(el);
  if (!back) return [];
  const style = getComputedStyle(el);
  let opacity = 1;
  for (let at = el; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
  const [r, g, b, a] = rgba(style.color);
  const [x, y] = [light(over([r, g, b, a * opacity], back)), light(back)].sort((m, n) => n - m);
  const large = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
  const ratio = (x + 0.05) / (y + 0.05);
  return ratio < (large ? 3 : 4.5) ? [`${ratio.toFixed(2)}:1 ${el.tagName}.${el.className} ${reads(el).slice(0, 40)}`] : [];
});
