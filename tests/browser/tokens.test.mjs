// Tokens one by one, as people use them, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "tokens with JavaScript" : "tokens without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("tells what a token is while there is none", async () => {
      await visitor.open("/");
      await visitor.says("No tokens yet", "Add the first token");
      await visitor.check("empty list");
      await visitor.open("/deleted");
      await visitor.says("No deleted tokens");
      await visitor.check("nothing deleted");
    });

    it("adds a token, and first says what is wrong with it", async () => {
      await server.token({ value: "taken" });
      await visitor.open("/");
      await visitor.click("link", "Add token");
      await visitor.check("add");
      await visitor.fill("Value", "taken");
      await visitor.fill("Label", "Anna, locker");
      await visitor.fill("Valid from", "2026-11-30T08:00");
      await visitor.fill("Valid to", "2026-11-29T08:00");
      await visitor.fill("Lock after each use", "99999999999");
      await visitor.click("button", "Save");
      await visitor.says("The token was not saved");
      await visitor.check("add with errors", 422);
      const listed = visitor.page.locator(".problems a");
      assert.ok((await listed.count()) >= 2, "every error is on top");
      for (const link of await listed.all()) {
        const field = visitor.page.locator(await link.getAttribute("href"));
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        const described = (await field.getAttribute("aria-describedby")).split(" ");
        const beside = await visitor.page.locator(`#${described.find((id) => id.endsWith("-error"))}`).innerText();
        assert.ok(beside.includes(await link.innerText()), "the same words beside the field");
      }
      await listed.first().click();
      const target = (await listed.first().getAttribute("href")).slice(1);
      assert.equal(await visitor.page.evaluate(() => document.querySelector(":target")?.id), target);
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), "Anna, locker", "what was typed is kept");
      assert.equal(await visitor.page.getByLabel("Valid from").inputValue(), "2026-11-30T08:00");
      await visitor.fill("Valid from", "");
      await visitor.fill("Valid to", "2999-11-30T08:00");
      await visitor.fill("Lock after each use", "0");
      // Only the database knows that a value is taken.
      await visitor.click("button", "Save");
      await visitor.says("The token was not saved");
      await visitor.check("add with a value that is taken", 422);
      await visitor.fill("Value", "locker-1");
      await visitor.page.getByLabel("Uses", { exact: true }).fill("3");
      await visitor.click("button", "Save");
      await visitor.says("Token added.", "Anna, locker", "locker-1", "Active", "3 uses left");
      assert.ok(await visitor.page.getByRole("img", { name: "QR code that says locker-1" }).isVisible());
      await visitor.check("tile");
      await visitor.page.reload();
      // Without a script the address still has it.
      if (javaScript) assert.ok(!(await visitor.text()).includes("Token added."), "it is told once");
    });

    it("edits a token", async () => {
      const tile = await server.token({ value: "edit me", label: "before", usage_count: 5 });
      await visitor.open(tile);
      await visitor.click("link", "Edit");
      await visitor.check("edit");
      await visitor.fill("Label", "after");
      await visitor.fill("Valid to", "2999-01-01T12:30");
      await visitor.page.getByLabel("Uses left").fill("-5");
      await visitor.fill("Lock after each use", "90");
      await visitor.page.getByLabel("Unit of the lock").selectOption("minutes");
      // The browser itself refuses a number below zero.
      await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
      assert.equal(await visitor.page.getByLabel("Uses left").evaluate((field) => field.validity.rangeUnderflow), true);
      await visitor.page.getByLabel("Uses left").fill("7");
      await visitor.click("button", "Save");
      await visitor.says("Changes saved.", "after", "7 uses left", "1 Jan 2999 12:30", "90 minutes");
      await visitor.check("tile with a lock");
      await visitor.click("link", "Edit");
      const uses = visitor.page.getByLabel("Uses left");
      await visitor.page.getByLabel("Unlimited").check();
      assert.equal(await uses.isDisabled(), javaScript);
      await visitor.click("button", "Save");
      await visitor.says("unlimited uses");
      await visitor.click("link", "Edit");
      assert.equal(await visitor.page.getByLabel("Unlimited").isChecked(), true);
      await visitor.check("edit an unlimited one");
      await visitor.page.getByLabel("Unlimited").uncheck();
      await uses.fill("2");
      await visitor.click("button", "Save");
      await visitor.says("2 uses left");
    });

    it("uses a token once for one click or two, until it is used up", async () => {
      const tile = await server.token({ usage_count: 3 });
      await visitor.open(tile);
      await visitor.says("Not used yet.");
      await visitor.click("button", "Use once");
      await visitor.says("Used. 2 uses left.", "admin");
      await visitor.check("tile with history");
      await visitor.leads(() => visitor.page.getByRole("button", { name: "Use once" }).dblclick());
      await visitor.page.waitForLoadState();
      await visitor.open(tile);
      await visitor.says("1 use left");
      assert.equal(await visitor.page.locator(".outcome.used").count(), 2, "two clicks are one use");
      const late = await visitor.tab();
      await late.open(tile);
      await visitor.click("button", "Use once");
      await visitor.says("Used up");
      assert.equal(await visitor.page.getByRole("button", { name: "Use once" }).count(), 0);
      await visitor.check("tile used up");
      await late.click("button", "Use once");
      await late.says("Not used: used up.", "Refused: used up");
      await late.check("tile refused");
      await late.page.close();
      late.silent();
    });

    it("shows every state", async () => {
      const locked = await server.token({ usage_count: 5, lock_time: 600 });
      await visitor.open(locked);
      const late = await visitor.tab();
      await late.open(locked);
      await visitor.click("button", "Use once");
      await visitor.says("Locked", "free again at");
      await visitor.check("tile locked");
      await late.click("button", "Use once");
      await late.says("Not used: locked.", "Locked", "Refused: locked");
      await late.page.close();
      late.silent();
      await visitor.open(await server.token({ valid_from: "2999-01-01" }));
      await visitor.says("Not yet valid", "from 1 Jan 2999");
      await visitor.check("tile pending");
      await visitor.open(await server.token({ valid_to: "2001-01-01" }));
      await visitor.says("Expired", "since 1 Jan 2001");
      await visitor.check("tile expired");
      await visitor.open("/");
      await visitor.check("list of every state");
    });

    it("deletes a token, undoes that, deletes it again, and restores it", async () => {
      const tile = await server.token({ value: "delete me" });
      await visitor.open("/?q=delete+me");
      await visitor.click("link", "delete me");
      await visitor.click("link", "Delete");
      await visitor.says("Delete this token?", "delete me");
      await visitor.check("delete");
      await visitor.click("link", "Cancel");
      assert.equal(visitor.path(), tile);
      await visitor.click("link", "Delete");
      await visitor.click("button", "Delete token");
      await visitor.says("Token deleted.");
      await visitor.check("list after a deletion");
      await visitor.click("button", "Undo");
      assert.equal(visitor.path(), tile);
      await visitor.says("Token restored.", "Active");
      await visitor.click("link", "Delete");
      await visitor.click("button", "Delete token");
      await visitor.leads(() => visitor.page.goBack());
      await visitor.says("This token was deleted", "Restore");
      await visitor.check("back to what was deleted", 404);
      await visitor.click("link", "← Tokens");
      await visitor.page.getByText("More", { exact: true }).click();
      await visitor.click("link", "Deleted tokens");
      await visitor.says("delete me", "admin");
      await visitor.check("deleted");
      await visitor.click("button", "Restore delete me");
      await visitor.says("Token restored.", "delete me");
      assert.equal(visitor.path(), tile);
    });

    it("asks when two people changed the same field", async () => {
      const tile = await server.token({ label: "old" });
      const other = await visitor.tab();
      await visitor.open(`${tile}/edit`);
      await other.open(`${tile}/edit`);
      await visitor.fill("Label", "mine");
      await visitor.fill("Lock after each use", "60");
      await visitor.click("button", "Save");
      await other.fill("Label", "theirs");
      await other.click("button", "Save");
      await other.says("Someone else edited this token", "mine", "theirs");
      await other.check("conflict", 409);
      assert.equal(await other.page.getByLabel("Label").inputValue(), "theirs");
      assert.equal(await other.page.getByLabel("Lock after each use").inputValue(), "1", "a minute, from the other side");
      await other.click("button", "Save");
      await other.says("Changes saved.", "theirs", "1 minute");
      await other.page.close();
      other.silent();
    });

    it("prints the code, the label and the value, and nothing else", async () => {
      await visitor.open(await server.token({ value: "on paper", label: "Anna's locker" }));
      await visitor.page.emulateMedia({ media: "print" });
      const words = (await visitor.page.evaluate(() => document.body.innerText)).trim().split(/\s*\n\s*/);
      assert.deepEqual(words, ["Anna's locker", "on paper"]);
      const seen = await visitor.page.locator("svg:visible, a:visible, button:visible, input:visible").count();
      assert.equal(seen, 1, "the code alone");
      const box = await visitor.page.locator(".code svg").boundingBox();
      assert.ok(box.width > 150 && Math.abs(box.width - box.height) < 1);
      await visitor.page.emulateMedia({ media: null });
    });

    if (javaScript) it("copies the value", async () => {
      await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await visitor.open(await server.token({ value: "to be copied" }));
      await visitor.page.getByRole("button", { name: "Copy value" }).click();
      await visitor.page.getByRole("button", { name: "Copied" }).waitFor();
      assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), "to be copied");
    });
  });
}
