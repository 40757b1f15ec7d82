// The rows of the list, and the selection that a tab keeps while it turns pages, sorts, searches, cancels and goes back.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { act, showBarInPlace, tick } from "./selection.mjs";
import { PASSWORD, withServer } from "./support.mjs";

describe("the rows of the list", () => {
  let server;
  let visitor;

  withServer(true, (opened) => ({ server, visitor } = opened));

  it("shows twelve rows of 44 px on a desk's first screen, whatever the texts", async () => {
    const plain = { usage_count: 1, lock_time: 0, valid_from: "", valid_to: "" };
    await server.view("/add_tokens", { ...plain, count: 20, label: "Locker {n:03}", batch_name: "A batch with a name that is far too long for its column" });
    await server.token({ value: "W".repeat(1000), label: "M".repeat(200), usage_count: 2147483647 });
    await server.token({ label: "👩‍👩‍👧‍👦🎟️".repeat(10) });
    await server.token({ value: "كود-٤٢", label: "תווית ארוכה מאוד מימין לשמאל (עם סוגריים) 42!", valid_from: "2001-01-01", valid_to: "2999-12-31" });
    const voided = await server.token({ label: "Voided" });
    await server.view(`${voided}/void_token`, { reason: "A reason that takes more room than a row of the list has for it" });
    const { page } = visitor;
    await page.setViewportSize({ width: 1280, height: 800 });
    await visitor.open("/");
    const rows = await page.locator(".tokens tbody tr").evaluateAll((all) => all.map((row) => row.getBoundingClientRect().toJSON()));
    assert.equal(rows.length, 24);
    for (const row of rows) assert.equal(Math.round(row.height * 10) / 10, 44);
    assert.ok(rows[11].bottom <= 800, `the twelfth row ends at ${rows[11].bottom}`);
    // Nothing of a row breaks over lines, also on paper.
    for (const media of ["screen", "print"]) {
      await page.emulateMedia({ media });
      if (media === "print") await page.setViewportSize({ width: 718, height: 1000 });
      const lines = await page.locator(".tokens td.valid").evaluateAll((all) =>
        all.map((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return new Set([...range.getClientRects()].map((line) => line.top)).size;
        }),
      );
      assert.deepEqual([...new Set(lines)], [1], media);
    }
    assert.ok(await page.locator("th.batch").isVisible(), "paper has a table, not cards");
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: 1280, height: 800 });
    await visitor.check("rows of the list");
  });

  it("copies a whole value", async () => {
    const { page } = visitor;
    await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const row = page.locator("tr", { hasText: "Locker 001" });
    await row.getByRole("button", { name: "Copy value" }).click();
    await row.getByRole("button", { name: "Copied" }).waitFor();
    const value = await row.locator("bdi.mono").getAttribute("title");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), value);
    assert.equal(value.length, 36);
    await row.getByRole("button", { name: "Copy value" }).waitFor();
  });

  it("begins with a token on a phone", async () => {
    const { page } = visitor;
    await page.setViewportSize({ width: 375, height: 740 });
    await visitor.open("/");
    const card = page.locator(".tokens tbody tr").first();
    const { bottom } = await card.evaluate((row) => row.getBoundingClientRect().toJSON());
    assert.ok(bottom <= 740, `the first card ends at ${bottom}`);
    for (const part of [".tick label", ".label a", ".badge", ".value bdi"]) assert.ok(await card.locator(part).isVisible(), part);
    assert.ok(!(await card.locator(".batch").isVisible()));
    for (const name of ["Add many", "Import", "Batches", "Deleted tokens"]) assert.equal(await page.getByRole("link", { name, exact: true }).count(), 0, name);
    await page.getByText("More", { exact: true }).click();
    for (const name of ["Add many", "Import", "Batches", "Deleted tokens", "Print"]) assert.ok(await page.getByRole("link", { name, exact: true }).last().isVisible(), name);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("link", { name: "Batches", exact: true }).count(), 0, "Escape closes the menu");
    // The bar is short, and what has the focus is never under it.
    await tick(visitor, 1);
    const height = () => page.locator("[data-bar]").evaluate((bar) => bar.getBoundingClientRect().height);
    assert.ok((await height()) <= 112, `the bar is ${await height()} px high`);
    for (let turn = 0; turn < 60; turn += 1) {
      await page.keyboard.press("Tab");
      const hidden = await page.evaluate(() => {
        const focused = document.activeElement;
        const bar = document.querySelector("[data-bar]");
        if (!focused.closest("tbody") || bar.contains(focused)) return 0;
        return focused.getBoundingClientRect().bottom - bar.getBoundingClientRect().top;
      });
      assert.ok(hidden <= 0, `the bar covers ${hidden} px of what has the focus`);
    }
    await page.locator("[data-bar] summary").click();
    assert.ok(await page.locator("[data-bar]").getByRole("button", { name: "Validity" }).isVisible());
    await visitor.fits("list with a selection");
    await page.setViewportSize({ width: 375, height: 740 });
    await page.locator("[data-bar] summary").click();
    await showBarInPlace(visitor);
    await visitor.check("list with a selection on a phone");
    await page.locator("[data-pick-none]").click();
  });
});

describe("the selection", () => {
  let server;
  let visitor;

  withServer(true, (opened) => ({ server, visitor } = opened));

  const picked = async () => ((await visitor.page.locator("[data-bar]").isVisible()) ? visitor.text("[data-picked]") : "");
  const ticked = () => visitor.page.locator("tbody :checked, .tiles :checked").count();

  it("stays while one turns pages, sorts, searches, changes the view, cancels and goes back", async () => {
    await server.view("/add_tokens", { count: 120, usage_count: 1, lock_time: 0, valid_from: "", valid_to: "", label: "Guest {n:03}" });
    await visitor.open("/?sort=label");
    assert.equal(await picked(), "");
    await tick(visitor, 2);
    assert.equal(await picked(), "2 selected");
    await visitor.click("link", "Next");
    assert.deepEqual([await picked(), await ticked()], ["2 selected", 0]);
    await tick(visitor, 1);
    await visitor.click("link", "Label");
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 0]);
    await visitor.open("/?q=Guest+00");
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 2]);
    await visitor.click("link", "Tiles");
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 2]);
    await visitor.leads(() => visitor.page.goBack());
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 2]);
    await visitor.open("/?sort=label");
    await visitor.click("link", "Next");
    const there = visitor.page.url();
    await act(visitor, "Change lock");
    await visitor.says("3 tokens selected.");
    await visitor.click("link", "Cancel");
    assert.equal(visitor.page.url(), there, "the same page of the same list");
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 1]);
    await visitor.page.reload();
    assert.equal(await picked(), "3 selected");
    await act(visitor, "Change lock");
    await visitor.leads(() => visitor.page.goBack());
    assert.deepEqual([await picked(), await ticked()], ["3 selected", 1]);
  });

  it("ends when it has been changed, with what was done and the way back", async () => {
    const there = visitor.page.url();
    await act(visitor, "Change lock");
    await visitor.fill("Lock after each use", "7");
    await visitor.click("button", "Preview");
    await visitor.says("Will change 3 tokens", "All are changed together. You can undo this for 30 days.");
    await visitor.click("button", "Change 3 tokens");
    await visitor.says("3 tokens changed.");
    assert.equal(visitor.page.url(), there, "the same page of the same list");
    assert.deepEqual([await picked(), await ticked()], ["", 0]);
    await tick(visitor, 1);
    await visitor.page.reload();
    assert.equal(await picked(), "1 selected", "only once");
    await visitor.page.getByRole("button", { name: "Clear" }).click();
    assert.equal(await picked(), "");
  });

  it("takes all results of a filter, of that filter alone", async () => {
    await visitor.open("/?q=Guest");
    await visitor.page.getByLabel("Select all on this page").check();
    assert.equal(await picked(), "50 selected");
    await visitor.page.getByRole("button", { name: "Select all 120 results" }).click();
    assert.equal(await picked(), "All 120 results selected");
    await visitor.click("link", "Next");
    assert.deepEqual([await picked(), await ticked()], ["All 120 results selected", 50]);
    await act(visitor, "Change lock");
    await visitor.says("120 tokens selected.");
    await visitor.click("link", "Cancel");
    assert.equal(await picked(), "All 120 results selected");
    // Without one of them, the others of the page are left.
    await visitor.page.getByRole("checkbox", { name: /^Select Guest/ }).first().uncheck();
    assert.equal(await picked(), "49 selected");
    await visitor.page.getByRole("button", { name: /^Select all/ }).click();
    await visitor.open("/?q=Guest+00");
    assert.equal(await picked(), "", "another filter has other results");
  });

  it("belongs to one user, and ends with signing out", async () => {
    await visitor.open("/?q=Guest+00");
    await tick(visitor, 2);
    server.run(["user", "add", "vera", "--role", "viewer", "--password-stdin"], `${PASSWORD}\n`);
    await visitor.context.clearCookies();
    await visitor.open("/login");
    await visitor.signIn("vera", PASSWORD);
    assert.equal(await picked(), "");
    await tick(visitor, 1);
    assert.deepEqual(await visitor.page.locator("[data-bar] .buttons button").allInnerTexts(), ["Print"]);
    await visitor.says("Your role can print tokens, not change them.");
    await visitor.signOut();
    await visitor.signIn("vera", PASSWORD);
    assert.equal(await picked(), "");
    const kept = await visitor.page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.startsWith("selected ")));
    assert.deepEqual(kept, []);
  });

  it("is another one in another tab, and knows most tokens it can hold", async () => {
    await visitor.signOut();
    await visitor.signIn("admin", PASSWORD);
    await visitor.open("/?q=Guest");
    await tick(visitor, 1);
    const tab = await visitor.tab();
    await tab.open("/?q=Guest");
    assert.ok(!(await tab.page.locator("[data-bar]").isVisible()));
    await tab.page.close();
    await visitor.page.evaluate(() => {
      const uids = Array.from({ length: 99_999 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`);
      sessionStorage.setItem("selected admin", JSON.stringify({ uids: uids.join(" ") }));
    });
    await visitor.page.reload();
    assert.equal(await picked(), "99,999 selected");
    await tick(visitor, 1);
    assert.equal(await picked(), "100,000 selected");
    await visitor.page.getByRole("checkbox", { name: /^Select Guest/ }).nth(1).click();
    assert.match(await picked(), /^100,000 selected\. You can select up to 100,000 tokens one by one/);
    assert.equal(await ticked(), 1);
    await visitor.page.getByRole("button", { name: "Clear" }).click();
    // What is gone meanwhile is said.
    const gone = await server.token({ label: "Gone soon" });
    await visitor.open("/");
    await tick(visitor, 2);
    await server.view(`${gone}/delete_token`, {});
    await act(visitor, "Delete");
    await visitor.says("Will delete 1 token", "Already deleted");
    visitor.silent();
  });

  it("leads back to the list as it was from elsewhere", async () => {
    await visitor.open("/?q=Guest&sort=label");
    await visitor.open("/actions");
    await visitor.click("link", "← Tokens");
    assert.match(visitor.page.url(), /\/\?q=Guest&sort=label$/);
  });
});
