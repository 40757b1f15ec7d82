// Every page of a token by keyboard alone.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "the keyboard with JavaScript" : "the keyboard without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("works by keyboard alone", async () => {
      const tile = await server.token({ value: "by keyboard", usage_count: 9 });
      await server.view(`${await server.token({ value: "deleted" })}/delete_token`, {});
      const { page } = visitor;
      const press = (key) => page.keyboard.press(key);
      const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.name || "");
      const tabTo = async (wanted) => {
        for (let turn = 0; turn < 60; turn += 1) {
          await press("Tab");
          if ((await focused()).trim() === wanted) return;
        }
        assert.fail(`Tab does not lead to ${wanted}`);
      };
      await visitor.open("/");
      await press("Tab");
      assert.equal(await focused(), "Skip to the content");
      assert.ok(await page.locator(".skip").evaluate((skip) => skip.getBoundingClientRect().top >= 0), "it is seen");
      await press("Enter");
      await tabTo("Add token");
      await tabTo("q");
      await page.keyboard.type("by key");
      await visitor.leads(() => press("Enter"));
      await tabTo("by keyboard");
      await visitor.leads(() => press("Enter"));
      assert.equal(visitor.path(), tile);
      await tabTo("Use once");
      await visitor.leads(() => press("Enter"));
      await visitor.says("8 uses left");
      for (const path of ["/?q=by+keyboard", tile, `${tile}/edit`, `${tile}/delete`, "/deleted", "/account"]) {
        await visitor.open(path);
        await everythingTakesFocus(visitor, path);
      }
      const stranger = await server.visitor();
      await stranger.open("/login");
      await everythingTakesFocus(stranger, "/login");
      await stranger.close();
    });
  });
}

/** Tab reaches everything that takes focus and comes back to the beginning, and each shows a ring. */
async function everythingTakesFocus(visitor, path) {
  const { page } = visitor;
  const here = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const all = [...document.querySelectorAll("a[href], button, input, select, summary")];
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return { at: all.indexOf(element), ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, html: element.outerHTML };
    });
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, summary")];
    return all.flatMap((element, at) => (element.checkVisibility() && !element.disabled && element.type !== "hidden" && element.tabIndex >= 0 ? [at] : []));
  });
  const reached = new Set();
  await page.evaluate(() => document.activeElement.blur());
  await page.locator("body").evaluate((body) => {
    body.tabIndex = -1;
    body.focus();
    body.removeAttribute("tabindex");
  });
  for (let turn = 0; turn < 200; turn += 1) {
    await page.keyboard.press("Tab");
    const element = await here();
    if (!element || (element.at === wanted[0] && reached.size > 1)) break;
    reached.add(element.at);
    assert.ok(element.ring, `${path}: no ring around ${element.html}`);
  }
  assert.deepEqual([...reached].sort((a, b) => a - b), wanted, `${path}: Tab reaches everything`);
}
