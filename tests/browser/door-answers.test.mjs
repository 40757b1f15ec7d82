// The door's verdicts, and what becomes of a scan whose answer is lost: it is asked again with the same key, and counted once.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";

import { atDoor, onScans, onlyNetworkFailed, openDoor, scan, shownSince, usesLeft, verdict, wasShown } from "./door.mjs";
import { PASSWORD, withServer } from "./support.mjs";

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What a verdict looks like. */
const look = ({ page }) =>
  page.evaluate(() => {
    const section = document.getElementById("stage").firstElementChild;
    const heading = section.querySelector("h2");
    const icon = section.querySelector("svg").getBoundingClientRect().width;
    return { color: getComputedStyle(document.body).backgroundColor, word: heading.textContent, icon };
  });

describe("verdicts at the door", () => {
  let server;
  let admin;

  withServer(true, (opened) => ({ server, visitor: admin } = opened));
  before(() => openDoor(server, admin));

  it("have the whole screen's colour, an icon and a word each", async () => {
    await server.token({ value: "colour-1", label: "Colour" });
    const visitor = await atDoor(server);
    const found = {};
    await scan(visitor, "colour-1");
    await verdict(visitor, "good", "Colour");
    found.good = await look(visitor);
    await scan(visitor, "nobody");
    await verdict(visitor, "refused", "Unknown code");
    found.refused = await look(visitor);
    await later(1100);
    await scan(visitor, "colour-1");
    await verdict(visitor, "look", "Used at this gate");
    found.look = await look(visitor);
    await onScans(visitor, async () => void (await later(3000)));
    await scan(visitor, "waited for");
    await verdict(visitor, "wait", "Asking the server");
    found.wait = await look(visitor);
    await verdict(visitor, "refused", "Unknown code");
    assert.deepEqual(Object.values(found).map(({ word }) => word), ["Good", "Refused", "Already used", "Wait"]);
    assert.equal(new Set(Object.values(found).map(({ color }) => color)).size, 4);
    for (const [kind, { icon }] of Object.entries(found)) assert.ok(icon >= 60, kind);
    await visitor.close();
  });

  it("fade, but not while somebody reads, and count down by the server's clock", async () => {
    const from = new Date(Date.now() + 100_000).toISOString();
    await server.token({ value: "soon-1", label: "Early bird", valid_from: from });
    const prepare = ({ page }) => page.clock.install({ time: Date.now() + 3_600_000 });
    const visitor = await atDoor(server, { prepare });
    const { page } = visitor;
    await scan(visitor, "soon-1");
    await verdict(visitor, "refused", "Not yet valid");
    const opens = page.locator(".verdict-opens");
    const title = page.locator(".verdict-title");
    assert.match(await opens.textContent(), /^Starts in 01:([0-3]\d|40)$/);
    await page.clock.fastForward(31_000);
    await title.waitFor({ state: "hidden" });
    assert.ok(await page.locator("#stage h2").isVisible());
    assert.match(await opens.textContent(), /^Starts in (01:0\d|00:[45]\d)$/);
    await page.locator("#stage h2").click();
    await title.waitFor();
    await page.clock.fastForward(70_000);
    assert.ok(await title.isVisible());
    await page.clock.runFor(1000);
    await verdict(visitor, "wait", "Scan again", "Early bird");
    await scan(visitor, "soon-1");
    await verdict(visitor, "refused", "Not yet valid");
    await visitor.close();
  });

  it("count a code that is held up once, and anew when it was out of sight for a second", async () => {
    const tile = await server.token({ value: "held-1", usage_count: 9 });
    const other = await server.token({ value: "held-2", usage_count: 9 });
    const visitor = await atDoor(server);
    const holdUp = (...codes) =>
      visitor.page.evaluate(async (seen) => {
        for (let turn = 0; turn < 36; turn += 1) {
          window.scanSeen(seen[turn % seen.length], "camera");
          await new Promise((resolve) => setTimeout(resolve, 80));
        }
      }, codes);
    await holdUp("held-1");
    await verdict(visitor, "good", "Already counted", "8 uses");
    assert.equal(await usesLeft(server, tile), 8);
    await later(1100);
    await holdUp("held-1");
    await verdict(visitor, "good", "7 uses");
    assert.equal(await usesLeft(server, tile), 7);
    await later(1100);
    // Two in one picture, which the decoder finds in turns.
    await holdUp("held-1", "held-2");
    assert.deepEqual([await usesLeft(server, tile), await usesLeft(server, other)], [6, 8]);
    // A handheld scanner that reads twice is told at once.
    await later(1100);
    await scan(visitor, "held-2");
    await verdict(visitor, "good", "7 uses");
    await scan(visitor, "held-2");
    await verdict(visitor, "good", "Already counted");
    assert.equal(await usesLeft(server, other), 7);
    await visitor.close();
  });

  it("can be undone, and a code that is still held up is not used again by that", async () => {
    const tile = await server.token({ value: "undo-1" });
    const visitor = await atDoor(server);
    await visitor.page.evaluate(() => setInterval(() => window.scanSeen("undo-1", "camera"), 100));
    await verdict(visitor, "good", "undo-1");
    await visitor.page.getByRole("button", { name: "Undo" }).click();
    await verdict(visitor, "look", "Undone", "1 use left");
    await later(500);
    assert.equal(await usesLeft(server, tile), 1);
    await visitor.close();
  });

  it("tell of several uses, a test, and a look-up", async () => {
    const tile = await server.token({ value: "family-1", usage_count: 5 });
    const visitor = await atDoor(server);
    const { page } = visitor;
    await page.getByLabel("Uses").fill("4");
    await scan(visitor, "family-1");
    await verdict(visitor, "good", "Used 4 times.", "1 use left");
    assert.equal(await page.getByLabel("Uses").inputValue(), "1");
    await later(1100);
    await page.getByLabel("Test only").check();
    await verdict(visitor, "wait", "Test mode");
    await page.getByText("Test mode: no token is used").waitFor();
    await scan(visitor, "family-1");
    await verdict(visitor, "good", "family-1", "0 uses left.");
    await page.getByLabel("Test only").uncheck();
    await page.getByRole("textbox", { name: "Code" }).fill("family-1");
    await page.getByRole("button", { name: "Look up" }).click();
    await verdict(visitor, "look", "Looked up", "Can be used. 1 use left");
    assert.equal(await usesLeft(server, tile), 1);
    await page.getByRole("button", { name: "Use once" }).click();
    await verdict(visitor, "good", "Used. 0 uses left.");
    await later(1100);
    await server.token({ value: "locked-1", usage_count: 3, lock_time: 1 });
    await scan(visitor, "locked-1");
    await verdict(visitor, "good", "2 uses left");
    await page.evaluate(() => window.scanSeen("locked-1", "wedge", { again: true }));
    await verdict(visitor, "look", "Used at this gate");
    await later(1100);
    await page.getByRole("button", { name: "Use again" }).click();
    await verdict(visitor, "good", "1 use left");
    await page.getByLabel("Uses").fill("0");
    await scan(visitor, "family-1");
    await verdict(visitor, "look", "Enter 1 or more uses");
    await page.getByRole("button", { name: "One use more" }).click();
    assert.equal(await page.getByLabel("Uses").inputValue(), "2");
    await visitor.close();
  });
});

describe("answers that are lost", () => {
  let server;
  let admin;
  let tile;
  let visitor;

  withServer(true, (opened) => ({ server, visitor: admin } = opened));
  before(async () => {
    await openDoor(server, admin);
    server.run(["user", "add", "relief", "--role", "scanner", "--password-stdin"], `${PASSWORD}\n`);
    tile = await server.token({ value: "many-1", usage_count: 1000 });
  });

  /** Somebody at the door, whose scan is to be counted once in spite of what happens. */
  const once = (name, happens, isShown = true) =>
    it(name, async () => {
      const left = await usesLeft(server, tile);
      visitor = await atDoor(server);
      await happens(visitor);
      if (isShown) await verdict(visitor, "good", "many-1");
      await visitor.page.locator(".scan-pending").waitFor({ state: "hidden" });
      assert.equal(await usesLeft(server, tile), left - 1);
      onlyNetworkFailed(visitor);
      await visitor.close();
    });

  once("is grey, asked again with the same key, and counted once", async () => {
    let isBroken = true;
    const nonces = await onScans(visitor, async (route) => {
      if (!isBroken || !route.request().postData().includes("many-1")) return;
      await route.fetch();
      await route.abort();
      return true;
    });
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait No answer");
    assert.equal(await visitor.page.locator(".scan-pending").innerText(), "1 scan has no answer yet. Trying again.");
    // Whoever sees that scans once more. So does somebody else, whose verdict stays while the server is asked again.
    await later(1100);
    await scan(visitor, "many-1");
    await scan(visitor, "somebody else");
    await verdict(visitor, "refused", "somebody else");
    await shownSince(visitor);
    const before = nonces.length;
    while (nonces.length < before + 2) await later(50);
    assert.deepEqual(await shownSince(visitor), []);
    isBroken = false;
    // Nobody takes it for somebody else's.
    await visitor.page.locator(".scan-late .good").filter({ hasText: "Earlier: Good" }).filter({ hasText: "many-1" }).waitFor();
    await verdict(visitor, "refused", "somebody else");
    assert.deepEqual(await shownSince(visitor), []);
    assert.equal(new Set(nonces).size, 2, "one key for each of the two codes");
  }, false);

  once("goes on after a 503", async () => {
    const nonces = await onScans(visitor, (route, number) => (number > 1 ? undefined : route.fulfill({ status: 503 }).then(() => true)));
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait No answer");
    await verdict(visitor, "good", "many-1");
    assert.equal(new Set(nonces).size, 1);
  });

  once("goes on with a server that takes six seconds", async () => {
    const nonces = await onScans(visitor, async (route, number) => {
      if (number > 1) return;
      const response = await route.fetch();
      await later(6000);
      await route.fulfill({ response }).catch(() => {});
      return true;
    });
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait Wait");
    await wasShown(visitor, "wait No answer");
    await verdict(visitor, "good", "many-1");
    assert.equal(new Set(nonces).size, 1);
  });

  once("goes on when the network is back", async () => {
    await visitor.context.setOffline(true);
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait No answer");
    await later(1500);
    await visitor.context.setOffline(false);
  });

  once("goes on with the same key after the page was loaded again", async () => {
    let isBroken = true;
    const nonces = await onScans(visitor, async (route) => {
      if (!isBroken) return;
      await route.fetch();
      await route.abort();
      return true;
    });
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait No answer");
    isBroken = false;
    await visitor.page.reload();
    await verdict(visitor, "good", "many-1");
    assert.ok(nonces.length > 1 && new Set(nonces).size === 1);
  });

  once("goes on with the same key after signing in again", async () => {
    const nonces = await onScans(visitor, async (route, number) => {
      if (number > 1) return;
      await route.fetch();
      await visitor.context.clearCookies();
      await route.abort();
      return true;
    });
    await scan(visitor, "many-1");
    await wasShown(visitor, "wait No answer");
    await verdict(visitor, "wait", "Signed out");
    await visitor.click("link", "Sign in");
    await visitor.signIn("door", PASSWORD);
    assert.equal(new URL(visitor.page.url()).search, "?gate=North");
    await verdict(visitor, "good", "many-1");
    assert.equal(new Set(nonces).size, 1);
  });

  once("leaves a scan that may have been counted to the user who sent it", async () => {
    const nonces = await onScans(visitor, async (route, number) => {
      if (number > 1) return;
      await route.fetch();
      await visitor.context.clearCookies();
      await route.abort();
      return true;
    });
    await scan(visitor, "many-1");
    await verdict(visitor, "wait", "Signed out");
    await visitor.click("link", "Sign in");
    await visitor.signIn("relief", PASSWORD);
    const note = visitor.page.locator(".scan-pending");
    assert.equal(await note.innerText(), "1 scan has no answer yet and was made by door. Sign in as door to try again.");
    const sent = nonces.length;
    await scan(visitor, "nobody");
    await verdict(visitor, "refused", "Unknown code");
    assert.equal(nonces.length, sent + 1);
    await visitor.signOut();
    await visitor.open("/login?next=%2Fscan%3Fgate%3DNorth");
    await visitor.signIn("door", PASSWORD);
  });

  once("asks once more after signing in what the session's end refused", async () => {
    await visitor.context.clearCookies();
    await scan(visitor, "many-1");
    await verdict(visitor, "wait", "Signed out");
    await visitor.click("link", "Sign in");
    // It was not counted, so that whoever relieves may ask as well.
    await visitor.signIn("relief", PASSWORD);
  });

  it("does not ask for ever what the server does not accept", async () => {
    visitor = await atDoor(server);
    const nonces = await onScans(visitor, (route) => route.fulfill({ status: 404, body: "nothing here" }).then(() => true));
    await scan(visitor, "many-1");
    await verdict(visitor, "look", "refused this request");
    await later(1500);
    assert.equal(nonces.length, 1);
    assert.ok(await visitor.page.locator(".scan-pending").isHidden());
    visitor.noise.splice(0);
    await visitor.close();
  });
});
