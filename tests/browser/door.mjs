// What tests of the door have in common: a gate, somebody who scans there, and a handheld scanner.

import assert from "node:assert/strict";

import { PASSWORD } from "./support.mjs";

/** Adds gates, and a user who may do nothing but scan. */
export async function openDoor(server, admin, gates = ["North", "South"]) {
  for (const gate of gates) {
    await admin.open("/gates/add");
    await admin.fill("Name", gate);
    await admin.click("button", "Add gate");
  }
  server.run(["user", "add", "door", "--role", "scanner", "--password-stdin"], `${PASSWORD}\n`);
}

/** Somebody at a gate, whose page tells which verdicts it has shown. */
export async function atDoor(server, { gate = "North", browser = server.browser, prepare } = {}) {
  const visitor = await server.signedIn("door", PASSWORD, browser);
  await visitor.context.addInitScript(() => {
    // A machine that runs tests may be busy for longer than a scanner is silent, which is 100 ms.
    const wait = window.setTimeout;
    window.setTimeout = (what, delay, ...more) => wait(what, delay === 100 ? 500 : delay, ...more);
    window.shown = [];
    addEventListener("DOMContentLoaded", () => {
      const stage = document.getElementById("stage");
      const text = (selector) => stage.querySelector(selector)?.textContent;
      const look = () => window.shown.push([stage.firstElementChild.dataset.verdict, text("h2"), text(".verdict-title")].join(" ").trim());
      if (stage) new MutationObserver(look).observe(stage, { childList: true });
    });
  });
  visitor.keyboard = await visitor.context.newCDPSession(visitor.page);
  await prepare?.(visitor);
  await visitor.open(`/scan?gate=${gate}`);
  return visitor;
}

/** How many uses a token has left. */
export async function usesLeft(server, tile) {
  const answer = await fetch(`${server.base}/query_token?token_uid=${tile.slice(1)}`, { headers: { authorization: `Bearer ${server.key}` } });
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json.token.usage_count;
}

/** Holds that a verdict is shown, or comes to be. */
export async function verdict({ page }, kind, ...words) {
  const shown = page.locator(`#stage [data-verdict=${kind}]`).filter({ hasText: words[0] ?? "" });
  await shown.waitFor({ timeout: 15_000 });
  const text = (await shown.innerText()).replaceAll(/\s+/g, " ");
  for (const word of words) assert.ok(text.includes(word), `${word} is not in ${text}`);
  return text;
}

/** Holds that a verdict was shown, though the next one may have come by now. */
export const wasShown = ({ page }, words) => page.waitForFunction((it) => window.shown.some((other) => other.includes(it)), words);

/** The verdicts that were shown since this was asked last. */
export const shownSince = ({ page }) => page.evaluate(() => window.shown.splice(0));

const SHIFTED = { "_": "Minus", "+": "Equal", ":": "Semicolon", "?": "Slash", "&": "Digit7", "%": "Digit5", "#": "Digit3", "\"": "Quote" };
const PLAIN = { "-": "Minus", "=": "Equal", ".": "Period", "/": "Slash", ",": "Comma", ";": "Semicolon", "\\": "Backslash", " ": "Space" };
// What the keys of a US keyboard say where the computer has a German one.
const GERMAN = {
  KeyY: "zZ", KeyZ: "yY", Minus: "ß?", Slash: "-_", Semicolon: "öÖ", Period: ".:", Comma: ",;", Equal: "´`", Digit7: "7/", Digit5: "5%", Digit3: "3§",
};

/** The key that a scanner presses for a character, as it believes in a US keyboard, and what the computer makes of it. */
export function stroke(character, layout = "us") {
  const shift = /[A-Z]/.test(character) || character in SHIFTED;
  let code = SHIFTED[character] ?? PLAIN[character];
  if (/[a-z]/i.test(character)) code = `Key${character.toUpperCase()}`;
  if (/\d/.test(character)) code = `Digit${character}`;
  const key = (layout === "german" && GERMAN[code]?.[shift ? 1 : 0]) || character;
  return { key, code, shift };
}

const ENDS = { Enter: { key: "Enter", code: "Enter", virtual: 13, text: "\r" }, Tab: { key: "Tab", code: "Tab", virtual: 9 } };

/** Types through the browser as a keyboard does, one key every 5 ms, so that each does what a key does where the focus is. */
export async function typeScan(visitor, text, { end = "Enter" } = {}) {
  const strokes = [...text].map((character) => stroke(character));
  if (end) strokes.push(ENDS[end]);
  const begin = Date.now();
  const sent = strokes.flatMap(({ key, code, shift, virtual, text: typed = key.length === 1 ? key : undefined }, at) => {
    const timestamp = (begin + 5 * at) / 1000;
    const common = { key, code, timestamp, modifiers: shift ? 8 : 0, windowsVirtualKeyCode: virtual ?? key.toUpperCase().charCodeAt(0) };
    const send = (type, more) => visitor.keyboard.send("Input.dispatchKeyEvent", { type, ...common, ...more });
    return [send("keyDown", typed && { text: typed }), send("keyUp")];
  });
  await Promise.all(sent);
}

/** The same keys as the page sees them, at once; and with Caps Lock, of which the browser's own keyboard cannot be told. */
export function scan({ page }, text, { layout, capsLock = false } = {}) {
  const swap = (key) => (/^[a-zöäü]$/i.test(key) ? (key === key.toLowerCase() ? key.toUpperCase() : key.toLowerCase()) : key);
  const strokes = [...text].map((character) => stroke(character, layout));
  if (capsLock) for (const it of strokes) it.key = swap(it.key);
  return page.evaluate(
    ({ strokes, modifierCapsLock }) => {
      const begin = performance.now();
      for (const [at, { key, code, shift: shiftKey }] of [...strokes, { key: "Enter", code: "Enter" }].entries()) {
        const event = new KeyboardEvent("keydown", { key, code, shiftKey, modifierCapsLock, bubbles: true, cancelable: true });
        // A machine that runs tests may stop between two of them for longer than a scanner does.
        Object.defineProperty(event, "timeStamp", { value: begin + 5 * at });
        document.activeElement.dispatchEvent(event);
      }
    },
    { strokes, modifierCapsLock: capsLock },
  );
}

/** Holds that nothing was said on the console but that the network failed, which is the browser's own line. */
export function onlyNetworkFailed(visitor) {
  const other = visitor.noise.splice(0).filter((line) => !/net::ERR_|^5\d\d http|status of (401|5\d\d)/.test(line));
  assert.deepEqual(other, []);
}

/**
 * Answers the scans that the page sends: `how` gets each with its number, and tells whether it did;
 * else the server answers. Tells their keys.
 */
export async function onScans({ page }, how) {
  const nonces = [];
  await page.route(
    ({ pathname }) => pathname === "/scan",
    async (route) => {
      const request = route.request();
      if (request.method() !== "POST") return route.continue();
      nonces.push(new URLSearchParams(request.postData()).get("nonce"));
      if (!(await how(route, nonces.length))) await route.continue();
    },
  );
  return nonces;
}
