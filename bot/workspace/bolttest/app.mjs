// A small app on @slack/bolt, driven by bolt_test.go. Whatever it sees goes to standard output, one
// word a line, so that the test knows of it; standard error is for Bolt's own log.
import bolt from "@slack/bolt";

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
  logLevel: process.env.BOLT_LOG ?? "warn",
});

const say = (...words) => console.log(words.join(" "));

const card = (text, ...elements) => ({
  text,
  blocks: [
    { type: "section", text: { type: "mrkdwn", text } },
    ...(elements.length ? [{ type: "actions", block_id: "choices", elements }] : []),
  ],
});

const button = (action_id, text) => ({ type: "button", action_id, value: "v1", text: { type: "plain_text", text } });

const form = (title) => ({
  type: "modal",
  callback_id: "form",
  notify_on_close: true,
  title: { type: "plain_text", text: title },
  submit: { type: "plain_text", text: "Start" },
  blocks: [
    {
      type: "input",
      block_id: "tier",
      label: { type: "plain_text", text: "Tier" },
      element: { type: "plain_text_input", action_id: "value" },
    },
  ],
});

// pick asks for one of what the app finds while somebody types.
const pick = {
  type: "modal",
  callback_id: "pick",
  title: { type: "plain_text", text: "Pick" },
  submit: { type: "plain_text", text: "Next" },
  blocks: [
    {
      type: "input",
      block_id: "book",
      label: { type: "plain_text", text: "Playbook" },
      element: { type: "external_select", action_id: "book", min_query_length: 0 },
    },
  ],
};

app.shortcut("run", async ({ shortcut, ack, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: pick });
});

app.shortcut({ callback_id: "here", type: "message_action" }, async ({ shortcut, ack, respond }) => {
  await ack();
  await respond({ text: `here: ${shortcut.message.text}`, response_type: "ephemeral" });
});

app.options("book", async ({ ack, options }) => {
  const option = { text: { type: "plain_text", text: `${options.value || "any"} book` }, value: "b" };
  await ack({ option_groups: [{ label: { type: "plain_text", text: "as of now" }, options: [option] }] });
});

app.view("pick", async ({ ack, view }) => {
  const chosen = view.state.values.book.book.selected_option.value;
  await ack({ response_action: "push", view: form(`Run ${chosen}`) });
});

// /playbook <word>: each word tries another way to answer.
app.command("/playbook", async ({ command, ack, respond, client }) => {
  switch (command.text) {
    case "hello":
      return ack(`hello <@${command.user_id}>`);
    case "card":
      await ack();
      await client.chat.postMessage({ channel: command.channel_id, ...card("Deploy?", button("approve", "Approve"), button("edit", "Edit")) });
      return;
    case "later":
      await ack();
      await respond({ text: "one", response_type: "ephemeral" });
      await respond({ text: "two", response_type: "in_channel" });
      return;
    case "form":
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: form("Run") });
      return;
    default:
      return ack({ text: `unknown: ${command.text}`, response_type: "ephemeral" });
  }
});

app.action("approve", async ({ ack, body, action, respond, client }) => {
  await ack();
  await client.chat.postMessage({ channel: body.channel.id, thread_ts: body.message.ts, text: `approved ${action.value} by <@${body.user.id}>` });
  await respond({ replace_original: true, ...card(`Approved by <@${body.user.id}>`) });
});

app.action("edit", async ({ ack, body, client }) => {
  await ack();
  const opened = await client.views.open({ trigger_id: body.trigger_id, view: form("Loading") });
  await client.views.update({ view_id: opened.view.id, hash: opened.view.hash, view: form("Edit") });
});

app.view("form", async ({ ack, view, body, client }) => {
  const tier = view.state.values.tier.value.value;
  if (tier !== "bravo") {
    return ack({ response_action: "errors", errors: { tier: `no tier ${tier}` } });
  }
  await ack();
  await client.chat.postMessage({ channel: "C0DEPLOYS", text: `<@${body.user.id}> runs ${tier}` });
});

app.view({ callback_id: "form", type: "view_closed" }, async ({ ack, body }) => {
  await ack();
  say("closed", body.user.id);
});

app.event("app_home_opened", async ({ event, client }) => {
  await client.views.publish({ user_id: event.user, view: { type: "home", blocks: card("Welcome home").blocks } });
});

app.event("app_mention", async ({ event, client }) => {
  const who = await client.users.info({ user: event.user });
  await client.chat.postMessage({ channel: event.channel, thread_ts: event.ts, text: `${who.user.profile.real_name} said ${event.text}` });
});

app.error(async (error) => console.error("error", error.code, error.message, JSON.stringify(error.data ?? {})));

await app.start();
const { bot_id } = await app.client.auth.test();
say("started", bot_id);
