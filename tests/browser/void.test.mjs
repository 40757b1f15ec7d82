// Voiding one token and many, and restoring them, in a real browser, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { act, tick } from "./selection.mjs";
import { withServer } from "./support.mjs";

const LONG = "Übergabe verpasst, תווית מימין ".repeat(6).trim();

for (const javaScript of [true, false]) {
  describe(javaScript ? "with JavaScript" : "without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const choose = (label, option) => visitor.page.getByLabel(label, { exact: true }).selectOption(option);

    it("voids a token from its tile, and undoes it", async () => {
      const tile = await server.token({ label: "Anna, locker 12", usage_count: 3 });
      await visitor.open(tile);
      await visitor.click("link", "Void");
      await visitor.says("Void this token?", "Anna, locker 12", "you can restore it");
      await visitor.check("void");
      await visitor.fill("Reason", "x".repeat(300));
      await visitor.click("button", "Void token");
      await visitor.says("The token was not voided", "“Reason” has at most 200 characters.");
      await visitor.check("void with a reason too long", 422);
      await visitor.fill("Reason", "Lost");
      await visitor.click("button", "Void token");
      await visitor.says("Token voided.", "Voided", "(Lost)", "admin", "Restore");
      assert.equal(await visitor.page.getByRole("button", { name: "Use once" }).count(), 0);
      await visitor.check("voided tile");
      await visitor.click("button", "Undo");
      await visitor.says("Change undone.", "3 uses left");
      await visitor.click("button", "Use once");
      await visitor.says("Used. 2 uses left.");
    });

    it("restores it by the keyboard alone, and undoes that", async () => {
      const tile = await server.token({ value: "STOLEN-1" });
      await server.view(`${tile}/void_token`, { reason: LONG });
      await visitor.open(tile);
      await visitor.says("Voided", LONG);
      await visitor.check("voided tile with a long reason");
      await visitor.page.getByRole("button", { name: "Restore", exact: true }).focus();
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      await visitor.says("Token restored.", "Use once");
      await visitor.check("restored tile");
      await visitor.click("button", "Undo");
      await visitor.says("Change undone.", "Voided", LONG);
    });

    it("refuses a use from a tile that was open when it was voided", async () => {
      const tile = await server.token({ value: "OPEN-1" });
      await visitor.open(tile);
      await server.view(`${tile}/void_token`, {});
      await visitor.click("button", "Use once");
      await visitor.says("Not used: voided.", "Refused: voided");
      await visitor.check("refused as voided");
      await visitor.open("/usage?outcome=TokenVoided");
      await visitor.says("Refused: voided", "OPEN-1");
      await visitor.check("usage of voided tokens");
    });

    it("shows what is voided in the list and as tiles", async () => {
      await server.token({ label: "A good one", usage_count: 5 });
      await visitor.open("/");
      await visitor.page.getByText("Filters", { exact: true }).click();
      await choose("State", "Voided");
      await visitor.click("button", "Apply");
      await visitor.says("2 tokens", "STOLEN-1", "OPEN-1");
      assert.ok(!(await visitor.text()).includes("A good one"));
      await visitor.check("list of voided tokens");
      await visitor.open("/?view=tiles");
      await visitor.says("Voided");
      assert.equal(await visitor.page.locator(".small-tile.is-voided").count(), 2);
      await visitor.check("tiles with voided tokens");
      await visitor.open("/?view=tiles&size=1");
      await visitor.fits("small tiles with voided tokens");
      await visitor.open("/sheet?state=voided");
      await visitor.says("No tokens to print. Voided tokens are not printed.");
      await visitor.check("sheet of voided tokens", 422);
    });

    it("voids and restores many, with a preview and an undo", async () => {
      await server.view("/add_tokens", { count: 4, label: "Box {n}", batch_name: "Boxes" });
      await visitor.open("/?q=Box");
      await tick(visitor, 1);
      await act(visitor, "Void");
      await visitor.fill("Reason", "Stolen");
      await visitor.click("button", "Preview");
      await visitor.click("button", "Void 1 token");
      await visitor.says("1 token voided.", "(Stolen)");

      await visitor.open("/?q=Box");
      await act(visitor, "Void", "all");
      await visitor.says("4 tokens selected.");
      await visitor.check("bulk void");
      await visitor.fill("Reason", "Lost box");
      await visitor.click("button", "Preview");
      await visitor.says("No change needed", "1 token", "Voided (Lost box)");
      await visitor.check("bulk void preview");
      await visitor.click("button", "Void 3 tokens");
      await visitor.says("3 tokens voided.");
      await visitor.check("bulk voided");

      await visitor.open("/?q=Box&state=voided");
      await act(visitor, "Restore", "all");
      await visitor.says("Will restore 4 tokens", "Voided (Stolen)", "Active");
      await visitor.check("bulk restore preview");
      await visitor.click("button", "Restore 4 tokens");
      await visitor.says("4 tokens restored.");
      await visitor.click("button", "Undo");
      await visitor.says("Change undone.");
      await visitor.open("/?q=Box&state=voided");
      await visitor.says("4 tokens", "(Stolen)", "(Lost box)");
      await visitor.open("/actions");
      await visitor.says("Voided: “Lost box”", "Restored");
      await visitor.check("actions with voiding");
    });

    it("marks a voided token on paper", async () => {
      const tile = await server.token({ value: "PAPER-1" });
      await server.view(`${tile}/void_token`, { reason: "Misprinted" });
      for (const path of [tile, "/?view=tiles&q=PAPER-1"]) {
        await visitor.open(path);
        await visitor.page.emulateMedia({ media: "print" });
        assert.ok(await visitor.page.locator(".void-mark").isVisible(), `${path} on paper`);
        if (process.env.PICTURES) await visitor.picture(visitor.page, `paper-${path === tile ? "tile" : "tiles"}`);
        await visitor.page.emulateMedia({ media: null });
      }
    });
  });
}
