// The search field: "/" leads to it, what is scanned into it opens its token, and the next scan replaces the last.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "the search with JavaScript" : "the search without JavaScript", () => {
    let server;
    let visitor;
    const field = () => visitor.page.locator("#q");
    const address = () => new URL(visitor.page.url());
    /** What is selected in the field that has the focus. */
    const selected = () =>
      visitor.page.evaluate(() => {
        const { id, value, selectionStart, selectionEnd } = document.activeElement;
        return [id, value?.slice(selectionStart, selectionEnd) ?? ""];
      });
    /** A handheld scanner types quickly, and then Enter. */
    const scan = (text) => visitor.leads(async () => {
      await visitor.page.keyboard.type(text);
      await visitor.page.keyboard.press("Enter");
    });

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("opens by Enter what the Find button only looks for", async () => {
      const tile = await server.token({ value: "https://elsewhere.example/a?b=1", label: "Locker 042" });
      const other = await server.token({ label: "Locker 420" });
      await visitor.open("/");
      await field().focus();
      await scan("https://elsewhere.example/a?b=1");
      assert.equal(visitor.path(), tile);
      for (const text of [`${server.base}${other}`, other.slice(1), other.slice(1).toUpperCase()]) {
        await visitor.open("/");
        await field().focus();
        await scan(text);
        assert.equal(visitor.path(), other);
      }
      await visitor.open("/");
      await field().fill("https://elsewhere.example/a?b=1");
      await visitor.leads(() => visitor.page.locator("#filter .find button:not([name])").click());
      assert.equal(address().searchParams.get("open"), null);
      await visitor.says("1 token", "Locker 042");
      await field().fill("locker 42");
      await visitor.leads(() => field().press("Enter"));
      await visitor.says("2 tokens", "Locker 042", "Locker 420");
      // With a script, an address that is kept or loaded again has none of it either.
      assert.equal(address().searchParams.get("open"), javaScript ? null : "1");
      assert.equal(await visitor.page.locator("a[href*='open=']").count(), 0);
      await visitor.check("list of a search that was sent by Enter");
    });

    it("has a way to send it that nobody meets by Tab or by a screen reader", async () => {
      await visitor.open("/?q=locker");
      const button = visitor.page.locator("#filter button[name=open]");
      assert.equal(await button.count(), 1);
      assert.equal(await visitor.page.locator("#filter").getByRole("button").count(), 1);
      await field().focus();
      await visitor.page.keyboard.press("Shift+Tab");
      assert.notEqual(await visitor.page.evaluate(() => document.activeElement.name), "open");
    });

    if (!javaScript) return;

    it("is selected after a search, so that the next scan replaces it", async () => {
      const tile = await server.token({ value: "second-code" });
      await visitor.open("/");
      assert.deepEqual(await selected(), ["", ""], "nothing was searched for");
      await field().fill("Locker 4");
      await visitor.leads(() => field().press("Enter"));
      assert.deepEqual(await selected(), ["q", "Locker 4"]);
      await scan("nothing-known");
      assert.deepEqual(await selected(), ["q", "nothing-known"]);
      await scan("second-code");
      assert.equal(visitor.path(), tile);
      await visitor.open("/?q=%20locker%20");
      assert.deepEqual(await selected(), ["q", "locker"]);
      for (const path of ["/?state=active", "/?q=", "/?q=locker&last=1", "/usage?q=locker", tile]) {
        await visitor.open(path);
        assert.equal((await selected())[0], "", path);
      }
      await visitor.open("/?q=locker&state=wrong");
      assert.notEqual((await selected())[0], "q", "what is wrong is read first");
      await visitor.check("a search beside a filter that cannot be used", 422);
    });

    it("leaves a phone's keyboard closed", async () => {
      const context = await server.browser.newContext({ hasTouch: true, isMobile: true, viewport: { width: 375, height: 740 } });
      await context.addCookies(await visitor.context.cookies());
      const page = await context.newPage();
      await page.goto(`${server.base}/?q=locker`);
      assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
      await context.close();
    });

    it("is where a slash leads", async () => {
      const { keyboard } = visitor.page;
      await visitor.open("/?state=active");
      await keyboard.press("/");
      assert.deepEqual(await selected(), ["q", ""]);
      await keyboard.type("and/or");
      assert.equal(await field().inputValue(), "and/or", "in a text field it is a slash");
      await visitor.open("/?q=locker&last=1");
      await keyboard.press("/");
      assert.deepEqual(await selected(), ["q", "locker"]);
      for (const keys of ["Control+/", "Alt+/", "Meta+/"]) {
        await visitor.open("/?state=active");
        await keyboard.press(keys);
        assert.equal((await selected())[0], "", keys);
      }
      await visitor.open("/?state=active");
      await visitor.page.locator(".filters > summary").click();
      await visitor.page.locator("#state").focus();
      await keyboard.press("/");
      assert.equal((await selected())[0], "state", "a list of choices is typed in, too");
      await visitor.open("/?state=active");
      await visitor.page.locator("main a").first().focus();
      await keyboard.press("Shift+/");
      await keyboard.press("/");
      assert.equal((await selected())[0], "q", "from a link");
      await visitor.open("/?state=active");
      await keyboard.type("https://x");
      assert.equal((await selected())[0], "", "a scanner's slash is no shortcut");
      await visitor.open("/scan");
      await keyboard.press("/");
      assert.equal(await visitor.page.evaluate(() => document.activeElement.matches("[data-search]")), false);
    });
  });
}
