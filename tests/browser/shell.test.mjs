// What all pages share: the head with its menus, help, messages and titles.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const PHONE = { width: 375, height: 740 };
const MANAGED = ["Settings", "Users", "Keys", "Gates", "Audit"];

for (const javaScript of [true, false]) {
  describe(javaScript ? "the head with JavaScript" : "the head without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("has all sections in a row on a desk, and the account in a menu", async () => {
      const { page } = visitor;
      await visitor.open("/usage");
      const names = await page.getByRole("navigation", { name: "Main" }).getByRole("link").allInnerTexts();
      assert.deepEqual(names, ["Tokens", "Overview", "Scan", "Usage", "Print", ...MANAGED]);
      const head = await page.locator(".top").boundingBox();
      assert.ok(head.height <= 64, `one row at 1280 px, not ${head.height} px`);
      assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 0);
      await page.locator("details.account > summary").click();
      await visitor.click("link", "Your account");
      assert.equal(visitor.path(), "/account");
    });

    it("has them in a menu on a phone", async () => {
      const { page } = visitor;
      await visitor.open("/usage");
      await page.setViewportSize(PHONE);
      assert.equal(await page.getByRole("navigation", { name: "Main" }).count(), 0);
      await page.getByText("Menu", { exact: true }).click();
      const links = page.getByRole("navigation", { name: "Main" }).getByRole("link");
      assert.equal(await links.count(), 10);
      for (const link of await links.all()) assert.ok((await link.boundingBox()).height >= 44, "large enough for a thumb");
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await visitor.click("link", "Gates");
      assert.equal(visitor.path(), "/gates");
      await page.setViewportSize({ width: 1280, height: 900 });
    });

    it("searches all tokens from every page", async () => {
      await server.token({ label: "Locker 042" });
      await server.token({ label: "Bicycle 7" });
      await visitor.open("/usage");
      await visitor.page.getByRole("searchbox", { name: "Search", exact: true }).fill("locker");
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      assert.equal(visitor.path(), "/");
      await visitor.says("Locker 042");
      assert.ok(!(await visitor.text()).includes("Bicycle 7"));
    });

    it("says what each page is for", async () => {
      await visitor.open("/usage");
      await visitor.page.locator("details.help > summary").click();
      assert.equal(await visitor.page.locator(".help .floating > p").count(), 3);
    });

    it("begins the title with what is wrong", async () => {
      await visitor.open("/add");
      assert.match(await visitor.page.title(), /^(?!Error)/);
      await visitor.open("/usage?from=never");
      assert.match(await visitor.page.title(), /^Error: /);
      await visitor.check("the log of a time that is none", 422);
    });
  });
}

describe("messages, and what a script adds to the head", () => {
  let server;
  let visitor;

  withServer(true, (opened) => ({ server, visitor } = opened));

  const focused = () => visitor.page.evaluate(() => document.activeElement.className);

  it("take the focus", async () => {
    const tile = await server.token({ usage_count: 3 });
    await visitor.open(tile);
    await visitor.click("button", "Use once");
    assert.match(await focused(), /flash/);
    await visitor.open("/usage?from=never");
    assert.match(await focused(), /problems/);
    await visitor.check("the log of a time that is none", 422);
  });

  it("close their menus with Escape and with a click elsewhere", async () => {
    const { page } = visitor;
    await visitor.open("/usage");
    const menu = page.locator("details.account");
    await menu.locator("summary").click();
    await page.keyboard.press("Escape");
    assert.equal(await menu.getAttribute("open"), null);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
    await menu.locator("summary").click();
    await page.locator("h1").click();
    assert.equal(await menu.getAttribute("open"), null);
  });

  it("open help with a key, unless single keys are switched off", async () => {
    const { page } = visitor;
    const help = page.locator("details.help");
    await visitor.open("/usage");
    await page.keyboard.press("?");
    assert.notEqual(await help.getAttribute("open"), null);
    await page.getByLabel("Use / and ?").uncheck();
    await page.keyboard.press("Escape");
    await visitor.open("/overview");
    await page.locator("body").press("?");
    assert.equal(await help.getAttribute("open"), null);
    await help.locator("summary").click();
    await page.getByLabel("Use / and ?").check();
  });
});
