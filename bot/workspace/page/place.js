// Where the page is, kept in the address: #as=ana&channel=deploys, or &home.

const named = (list, x) => list.find((y) => y.id === x || y.name === x);

// readPlace returns what the address asks for; ids and names both do.
export function readPlace(state) {
  const hash = new URLSearchParams(location.hash.slice(1));
  const [as, channel] = [hash.get("as") || "", hash.get("channel") || ""];
  return {
    as, channel, home: hash.has("home"),
    user: as ? named(state.users.filter((u) => !u.is_bot), as) : undefined,
    open: channel ? named(state.channels, channel) : undefined,
  };
}

// writePlace puts the place into the address without adding to the history.
export function writePlace(user, channel, home) {
  const hash = new URLSearchParams();
  if (user) hash.set("as", user.name);
  if (channel) hash.set("channel", channel.name);
  if (home) hash.set("home", "");
  history.replaceState(null, "", "#" + hash);
}
