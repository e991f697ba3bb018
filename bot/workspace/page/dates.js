// How dates and times are written, for <!date>, rich text and the message list.

const format = (options) => (d) => new Intl.DateTimeFormat(undefined, options).format(d);
const time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const timeSeconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const date = format({ year: "numeric", month: "long", day: "numeric" });
const dateShort = format({ year: "numeric", month: "short", day: "numeric" });
const dateLong = format({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
const two = (n) => String(n).padStart(2, "0");

// dayKey is the same for two moments of one local day.
export const dayKey = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

// fromTS turns a message's ts ("1700000000.000100") into a Date.
export const fromTS = (ts) => new Date(Number.parseFloat(ts) * 1000);

function pretty(d, otherwise) {
  const day = dayKey(d);
  const near = (n) => dayKey(new Date(Date.now() + n * 86400000));
  if (day === near(0)) return "today";
  if (day === near(-1)) return "yesterday";
  return day === near(1) ? "tomorrow" : otherwise(d);
}

// dayName names a day as the dividers of the message list do.
export function dayName(d) {
  const s = pretty(d, format({ weekday: "long", month: "long", day: "numeric" }));
  return s[0].toUpperCase() + s.slice(1);
}

export const clock = time;
export const fullTime = (d) => `${dateLong(d)}, ${timeSeconds(d)}`;

// ago writes how long since d in words.
export function ago(d) {
  const s = Math.round((Date.now() - d.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (Math.abs(s) < 60) return s >= 0 ? "just now" : words.format(-s, "second");
  if (Math.abs(s) < 3600) return words.format(-Math.round(s / 60), "minute");
  if (Math.abs(s) < 86400) return words.format(-Math.round(s / 3600), "hour");
  return words.format(-Math.round(s / 86400), "day");
}

const tokens = {
  date_num: dayKey,
  date_slash: (d) => dayKey(d).replaceAll("-", "/"),
  date, date_short: dateShort, date_long: dateLong, date_long_full: dateLong,
  date_pretty: (d) => pretty(d, date),
  date_short_pretty: (d) => pretty(d, dateShort),
  date_long_pretty: (d) => pretty(d, dateLong),
  day_divider_pretty: (d) => pretty(d, dateLong),
  time, time_secs: timeSeconds, ago,
};

// formatDate fills in Slack's date tokens, as in "{date_num} {time}".
export function formatDate(seconds, pattern, fallback) {
  const d = new Date(Number(seconds) * 1000);
  if (Number.isNaN(d.getTime())) return fallback || "";
  return pattern.replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(tokens, name) ? tokens[name](d) : all));
}
