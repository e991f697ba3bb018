// The calls to the workspace. All answer with JSON; a failed call throws.

async function read(response) {
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    // Not JSON: the status below says enough.
  }
  if (!response.ok) throw new Error(answer?.error || `HTTP ${response.status}`);
  return answer ?? {};
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch("./api/" + path, options);
  } catch {
    throw new Error("network");
  }
  return read(response);
}

// get asks for something: get("thread", {as, channel, ts}).
export function get(what, query) {
  return reach(what + "?" + new URLSearchParams(query), { headers: { Accept: "application/json" } });
}

// post does something; {ok: false, error} is returned, not thrown, and so is a failed call.
export async function post(what, body) {
  try {
    const answer = await reach(what, {
      method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body),
    });
    return answer.ok === undefined ? { ok: true, ...answer } : answer;
  } catch (e) {
    return { ok: false, error: e.message };
  }
}

// stream listens for news and comes back after every loss of the connection.
// It returns a function that ends it.
export function stream(as, news, connected) {
  let source = null;
  let wait = 500;
  let timer = 0;
  const open = () => {
    source = new EventSource("./api/stream?" + new URLSearchParams({ as }));
    source.onopen = () => {
      wait = 500;
      connected(true);
    };
    source.onmessage = (e) => {
      let event;
      try {
        event = JSON.parse(e.data);
      } catch {
        return;
      }
      news(event);
    };
    source.onerror = () => {
      connected(false);
      source.close();
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 8000);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

// oneAtATime makes f run once at a time; a call during a run makes one more run follow.
export function oneAtATime(f) {
  let running = null;
  let again = false;
  return () => {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await f();
      } while (again);
    })().finally(() => {
      running = null;
    });
    return running;
  };
}
