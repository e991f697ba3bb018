import { h } from "./dom.js";

const glyphs = {
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎",
  hourglass_flowing_sand: "⏳", hourglass: "⌛", warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", lock: "🔒", unlock: "🔓",
  closed_lock_with_key: "🔐", key: "🔑", rocket: "🚀", raised_hand: "✋", hand: "✋", wave: "👋", double_vertical_bar: "⏸️",
  black_square_for_stop: "⏹️", arrow_forward: "▶️", fast_forward: "⏩", black_right_pointing_double_triangle_with_vertical_bar: "⏭️",
  rewind: "⏪", arrows_counterclockwise: "🔄", arrows_clockwise: "🔃", repeat: "🔁", leftwards_arrow_with_hook: "↩️",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", large_green_circle: "🟢", red_circle: "🔴",
  large_yellow_circle: "🟡", large_orange_circle: "🟠", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫",
  large_green_square: "🟩", large_red_square: "🟥", large_yellow_square: "🟨", white_large_square: "⬜", black_large_square: "⬛",
  white_square_button: "🔳", heavy_minus_sign: "➖", heavy_plus_sign: "➕", bell: "🔔", no_bell: "🔕", eyes: "👀", tada: "🎉",
  fire: "🔥", boom: "💥", bulb: "💡", memo: "📝", clipboard: "📋", book: "📖", books: "📚", link: "🔗", mag: "🔍", gear: "⚙️",
  wrench: "🔧", hammer_and_wrench: "🛠️", package: "📦", label: "🏷️", calendar: "📅", clock1: "🕐", stopwatch: "⏱️",
  timer_clock: "⏲️", alarm_clock: "⏰", bar_chart: "📊", chart_with_upwards_trend: "📈", computer: "💻", desktop_computer: "🖥️",
  satellite: "🛰️", shield: "🛡️", rotating_light: "🚨", construction: "🚧", octagonal_sign: "🛑", question: "❓",
  grey_question: "❔", exclamation: "❗", information_source: "ℹ️", speech_balloon: "💬", thought_balloon: "💭", "+1": "👍",
  thumbsup: "👍", "-1": "👎", thumbsdown: "👎", pray: "🙏", clap: "👏", ok_hand: "👌", point_right: "👉", heart: "❤️", smile: "😄",
  slightly_smiling_face: "🙂", thinking_face: "🤔", robot_face: "🤖", ghost: "👻", zzz: "💤", skull: "💀", bust_in_silhouette: "👤",
  busts_in_silhouette: "👥", checkered_flag: "🏁", triangular_flag_on_post: "🚩", pushpin: "📌", put_litter_in_its_place: "🚮",
  wastebasket: "🗑️", broom: "🧹", house: "🏠", crown: "👑", ticket: "🎫", traffic_light: "🚦", vertical_traffic_light: "🚦",
  test_tube: "🧪", microscope: "🔬", hammer: "🔨", electric_plug: "🔌", recycle: "♻️", sos: "🆘", new: "🆕", ok: "🆗", end: "🔚",
  record_button: "⏺️", large_blue_diamond: "🔷", small_blue_diamond: "🔹", small_orange_diamond: "🔸", dart: "🎯",
};

// emoji draws an emoji by its name; a name it does not know stays as it was written.
export function emoji(name) {
  const glyph = glyphs[name.split("::")[0]];
  if (!glyph) return document.createTextNode(`:${name}:`);
  return h("span.emoji", { role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, glyph);
}

// knownEmoji tells whether a name has a picture.
export const knownEmoji = (name) => Object.hasOwn(glyphs, name.split("::")[0]);
