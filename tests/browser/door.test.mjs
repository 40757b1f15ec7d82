// The door with a handheld scanner: what its keys become, wherever the focus is, and what the verdicts say.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";

import { atDoor, onlyNetworkFailed, openDoor, scan, shownSince, typeScan, usesLeft, verdict } from "./door.mjs";
import { PASSWORD, withServer } from "./support.mjs";

describe("the door", () => {
  let server;
  let admin;

  withServer(true, (opened) => ({ server, visitor: admin } = opened));
  before(() => openDoor(server, admin));

  it("is where scanners sign in, and its gate is remembered on the device", async () => {
    const visitor = await server.signedIn("door");
    assert.equal(visitor.path(), "/scan");
    const { page } = visitor;
    await visitor.check("which gate");
    await visitor.click("button", "South");
    assert.equal(new URL(page.url()).searchParams.get("gate"), "South");
    await visitor.open("/account");
    await visitor.open("/scan");
    await page.waitForURL("**/scan?gate=South");
    await visitor.says("Gate South");
    await visitor.check("scan");
    // Without the network the page stays.
    await visitor.context.setOffline(true);
    await page.getByRole("link", { name: "Change the gate" }).click();
    await page.getByText("No connection. Try again later.").waitFor();
    await visitor.context.setOffline(false);
    onlyNetworkFailed(visitor);
    await page.getByRole("link", { name: "Change the gate" }).waitFor();
    await visitor.click("link", "Change the gate");
    await visitor.click("button", "No gate");
    await visitor.open("/scan");
    await page.waitForURL("**/scan?gate=");
    await visitor.says("No gate");
    await visitor.close();
  });

  it("uses no token at another gate, or at none, when its gate is closed", async () => {
    const tile = await server.token({ value: "closing-1", label: "Late" });
    await admin.open("/gates/add");
    await admin.fill("Name", "Closing");
    await admin.click("button", "Add gate");
    const visitor = await server.signedIn("door");
    await visitor.click("button", "Closing");
    await admin.page.getByLabel("This gate is open").uncheck();
    await admin.click("button", "Save");
    await scan(visitor, "closing-1");
    await verdict(visitor, "look", "The gate Closing is closed. Choose a gate.");
    visitor.noise.splice(0);
    await visitor.open("/scan");
    await visitor.says("Choose your gate", "Gate Closing is closed or was renamed.");
    await visitor.check("lost gate");
    // The link in a code is looked at, at the gate that is chosen.
    await visitor.open(tile);
    await verdict(visitor, "look", "Can be used. 1 use left");
    assert.equal(await visitor.page.getByRole("button", { name: "Use once" }).count(), 0);
    await visitor.click("button", "North");
    await visitor.page.getByRole("button", { name: "Use once" }).click();
    await verdict(visitor, "good", "Late");
    await visitor.open(tile);
    await visitor.page.waitForURL("**/scan?gate=North&code=*");
    await verdict(visitor, "look", "Cannot be used. Used at this gate", "Used up.");
    await visitor.close();
  });

  it("reads a handheld scanner wherever the focus is", async () => {
    const tile = await server.token({ value: "Nora-17", label: "Nora", usage_count: 18 });
    const visitor = await atDoor(server);
    const { page } = visitor;
    const code = page.getByRole("textbox", { name: "Code" });
    const places = {
      nowhere: () => page.evaluate(() => document.activeElement.blur()),
      "the code field": () => code.focus(),
      "the number of uses": () => page.getByLabel("Uses").focus(),
      "a button": () => page.getByRole("button", { name: "Look up" }).focus(),
      "a check box": () => page.getByLabel("Test only").focus(),
      "what unfolds": () => page.getByText("Set up a handheld scanner").focus(),
    };
    let left = 18;
    for (const [place, focus] of Object.entries(places)) {
      for (const end of ["Enter", "Tab", null]) {
        await code.fill("typed before");
        await focus();
        await page.evaluate(() => (window.focused = document.activeElement));
        // The same code again within a second would be the one that is still held up.
        await page.waitForTimeout(1050);
        await typeScan(visitor, "Nora-17", { end });
        left -= 1;
        await verdict(visitor, "good", left === 0 ? "0 uses" : `${left} use`, "Nora");
        assert.equal(await code.inputValue(), "typed before", `${place}, ${end}`);
        assert.equal(await page.getByLabel("Uses").inputValue(), "1", `${place}, ${end}`);
        assert.ok(await page.evaluate(() => document.activeElement === window.focused), `${place}, ${end}: the focus stays`);
        assert.equal(new URL(page.url()).search, "?gate=North", `${place}, ${end}: nothing is chosen`);
      }
    }
    assert.equal(await page.locator(".scan-set-up[open]").count(), 0);
    assert.equal(await usesLeft(server, tile), 0);
    await visitor.close();
  });

  it("presses no button with the scanner's Enter: not Undo either", async () => {
    await server.token({ value: "first-1", label: "First" });
    await server.token({ value: "second-2", label: "Second" });
    const visitor = await atDoor(server);
    await typeScan(visitor, "first-1");
    await verdict(visitor, "good", "First");
    await visitor.page.getByRole("button", { name: "Undo" }).focus();
    await typeScan(visitor, "second-2");
    await verdict(visitor, "good", "Second");
    assert.deepEqual(await shownSince(visitor), ["good Good First", "good Good Second"]);
    await visitor.close();
  });

  it("counts two scans within a moment, and shows both verdicts", async () => {
    const tiles = [await server.token({ value: "quick-1" }), await server.token({ value: "quick-2" })];
    const visitor = await atDoor(server);
    await typeScan(visitor, "quick-1");
    await typeScan(visitor, "quick-2");
    await verdict(visitor, "good", "quick-2");
    assert.deepEqual(await shownSince(visitor), ["good Good quick-1", "good Good quick-2"]);
    for (const tile of tiles) assert.equal(await usesLeft(server, tile), 0);
    await visitor.close();
  });

  it("leaves people their keys, be they slow or quick", async () => {
    const visitor = await atDoor(server);
    const { page } = visitor;
    const code = page.getByRole("textbox", { name: "Code" });
    await code.focus();
    await page.keyboard.type("slowly 1", { delay: 120 });
    assert.equal(await code.inputValue(), "slowly 1");
    await code.fill("");
    // Three keys roll over each other, then one follows at once, and Backspace.
    await typeScan(visitor, "ing", { end: null });
    await page.waitForTimeout(60);
    await page.keyboard.press("s");
    await page.waitForTimeout(800);
    assert.equal(await code.inputValue(), "ings");
    await typeScan(visitor, "ab", { end: null });
    await page.keyboard.press("Backspace");
    assert.equal(await code.inputValue(), "ingsa");
    await page.getByLabel("Uses").fill("");
    await page.getByLabel("Uses").focus();
    await typeScan(visitor, "12", { end: null });
    await page.waitForTimeout(800);
    assert.equal(await page.getByLabel("Uses").inputValue(), "12");
    assert.deepEqual(await shownSince(visitor), [], "nothing was scanned");
    await visitor.close();
  });

  it("reads a US scanner on a German keyboard, and with Caps Lock", async () => {
    const tile = await server.token({ value: "by its uid", usage_count: 9 });
    const uid = tile.slice(1);
    const visitor = await atDoor(server);
    const again = () => visitor.page.waitForTimeout(1050);
    await scan(visitor, uid, { layout: "german" });
    await verdict(visitor, "good", "8 uses");
    await scan(visitor, `${server.base}${tile}`, { layout: "german" });
    await verdict(visitor, "good", "7 uses");
    await again();
    await scan(visitor, uid, { layout: "german", capsLock: true });
    await verdict(visitor, "good", "6 uses");
    await visitor.close();
  });

  it("learns from the set-up code what a scanner's keys mean", async () => {
    const setUp = "tessera:setup/yzYZ-_.?=&%+#1";
    const tile = await server.token({ value: "Zoe-Y_1", label: "Zoe", usage_count: 9 });
    const visitor = await atDoor(server);
    await scan(visitor, "Zoe-Y_1", { layout: "german" });
    await verdict(visitor, "refused", "Unknown code");
    // This one writes Q before and + behind each code.
    await scan(visitor, `Q${setUp}+`, { layout: "german" });
    await verdict(visitor, "wait", "Scanner ready");
    await scan(visitor, "QZoe-Y_1+", { layout: "german" });
    await verdict(visitor, "good", "Zoe", "8 uses");
    await visitor.page.waitForTimeout(1050);
    await scan(visitor, "QZoe-Y_1+", { layout: "german", capsLock: true });
    await verdict(visitor, "good", "7 uses");
    await visitor.page.reload();
    await scan(visitor, "QZoe-Y_1+", { layout: "german" });
    await verdict(visitor, "good", "6 uses");
    await scan(visitor, setUp.replaceAll("-", "x"));
    await verdict(visitor, "look", "another keyboard layout");
    assert.equal(await usesLeft(server, tile), 6);
    await visitor.close();
  });

  it("works by keyboard alone, and a phone's width is enough", async () => {
    await server.token({ value: "typed-1", label: "Typed, with a label that is long enough to be broken over several lines" });
    const visitor = await atDoor(server);
    const { page } = visitor;
    assert.equal(await page.evaluate(() => document.activeElement.id), "code");
    await page.keyboard.type("typed-1", { delay: 60 });
    await page.keyboard.press("Enter");
    await verdict(visitor, "good", "Typed");
    await page.waitForTimeout(700);
    await visitor.check("scan good");
    const undo = page.getByRole("button", { name: "Undo" });
    for (let turn = 0; turn < 30 && !(await undo.evaluate((it) => it === document.activeElement)); turn += 1) await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await verdict(visitor, "look", "Undone");
    for (const [name, value] of [["refused", "x".repeat(300)], ["look", "typed-1"]]) {
      await page.getByRole("textbox", { name: "Code" }).fill(value);
      await page.getByRole("button", { name: name === "look" ? "Look up" : "Use", exact: true }).click();
      await verdict(visitor, name);
      visitor.noise.splice(0);
      await visitor.check(`scan ${name}`);
      await page.setViewportSize({ width: 375, height: 667 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 375);
    }
    await visitor.close();
  });
});

describe("the door without JavaScript", () => {
  let server;
  let admin;

  withServer(false, (opened) => ({ server, visitor: admin } = opened));
  before(() => openDoor(server, admin));

  it("has a field, a button, and a page for the verdict", async () => {
    await server.token({ value: "plain-1", label: "Plain" });
    const visitor = await server.signedIn("door", PASSWORD);
    assert.equal(visitor.path(), "/scan");
    await visitor.click("button", "North");
    await visitor.check("scan");
    await visitor.page.getByRole("textbox", { name: "Code" }).fill("plain-1");
    await visitor.click("button", "Use");
    await visitor.says("Good", "Plain", "Used. 0 uses left.");
    await visitor.check("scan good");
    await visitor.click("button", "Undo");
    await visitor.says("Undone", "1 use left");
    await visitor.page.getByRole("textbox", { name: "Code" }).fill("nobody");
    await visitor.click("button", "Use");
    await visitor.says("Refused", "Unknown code.");
    await visitor.check("scan refused");
    await visitor.close();
  });
});
