// The settings, and what a tile does with them by one click.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "settings with JavaScript" : "settings without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const names = () => visitor.page.locator(".range:not(.new) input[name^=name]").evaluateAll((all) => all.map((one) => one.value));
    const focused = () => visitor.page.evaluate(() => document.activeElement.id);

    it("saves each setting by itself", async () => {
      await visitor.open("/");
      await visitor.click("link", "Settings");
      await visitor.says("Uses for new tokens", "Never changed.");
      await visitor.check("settings");
      await visitor.page.getByLabel("Uses", { exact: true }).fill("3");
      await visitor.click("button", "Save the uses of a new token");
      assert.equal(new URL(visitor.page.url()).hash, "#setting-default_usage_count");
      await visitor.says("Saved.", "Changed just now by admin.");
      await visitor.check("a saved setting");
      if (javaScript) assert.equal(new URL(visitor.page.url()).search, "", "it is told once");
      await visitor.open("/add");
      assert.equal(await visitor.page.getByLabel("Uses", { exact: true }).inputValue(), "3");
    });

    it("adds, moves and removes time ranges, and the focus goes along", async () => {
      await visitor.open("/settings");
      const fresh = visitor.page.getByRole("group", { name: "New time range" });
      await fresh.getByLabel("Name").fill("night");
      await fresh.getByLabel("From").fill("22:00");
      await fresh.getByLabel("To").fill("06:00");
      // Enter saves, and does not press the first button of a row.
      await visitor.leads(() => fresh.getByLabel("Name").press("Enter"));
      assert.deepEqual(await names(), ["morning", "afternoon", "today", "night"]);
      assert.equal(await focused(), "name-new");
      await visitor.click("button", "Move night up");
      assert.deepEqual(await names(), ["morning", "afternoon", "night", "today"]);
      assert.equal(await focused(), "up-2");
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      assert.deepEqual(await names(), ["night", "morning", "afternoon", "today"]);
      assert.equal(await focused(), "down-0");
      await visitor.check("time ranges");
      await visitor.click("button", "Remove night");
      assert.deepEqual(await names(), ["morning", "afternoon", "today"]);
      assert.equal(await focused(), "remove-0");
    });

    it("says beside a field what is wrong with it", async () => {
      await visitor.open("/settings");
      const first = visitor.page.getByRole("group", { name: /Time range 1/ });
      await first.getByLabel("Name").fill("Today");
      await first.getByLabel("To").fill("08:00");
      const fresh = visitor.page.getByRole("group", { name: "New time range" });
      await fresh.getByLabel("Name").fill("late");
      await visitor.click("button", "Save the time ranges");
      await visitor.says("Not saved", "Another time range already has this name.", "A time range can't end at the time it starts.", "“From” must be a time such as 08:00.");
      assert.ok(await visitor.page.getByRole("alert").evaluate((one) => one.getBoundingClientRect().top < innerHeight), "it is seen");
      await visitor.check("time ranges with mistakes", 422);
      await visitor.page.getByRole("link", { name: "A time range can't end at the time it starts." }).click();
      assert.equal(await focused(), "to-0");
    });

    it("shows both sides when somebody else changed the same setting", async () => {
      const other = await server.signedIn();
      await visitor.open("/settings");
      await other.open("/settings");
      await other.fill("Numbers of uses to set with one click", "1, 2, unlimited");
      await other.click("button", "Save the quick counts");
      await other.close();
      await visitor.fill("Numbers of uses to set with one click", "0, 5");
      await visitor.click("button", "Save the quick counts");
      await visitor.says("Someone else changed this setting", "Saved by admin", "1, 2, unlimited", "0, 5");
      await visitor.check("a setting that both changed", 409);
      await visitor.click("button", "Save the quick counts");
      assert.equal(await visitor.page.getByLabel("Numbers of uses to set with one click").inputValue(), "0, 5");
      await visitor.says("Saved.");
    });

    it("sets a range and a count on a tile by one click, and undoes it", async () => {
      const path = await server.token({ value: "T-1", label: "Anna, locker 7", usage_count: 3 });
      await visitor.open(path);
      await visitor.check("a tile with its clicks");
      await visitor.click("button", "today 08:00–18:00");
      await visitor.says("Valid from today 08:00 to today 18:00.");
      await visitor.check("a tile after a click");
      await visitor.click("button", "Undo");
      await visitor.says("Change undone.", "No end date");
      await visitor.click("button", "Set uses left to 5");
      await visitor.says("Uses set to 5.");
      await visitor.click("button", "Give a use back");
      await visitor.says("One use added.");
      await visitor.page.getByLabel("Uses to add").fill("12");
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      await visitor.says("12 uses added.", "18 uses left");
      assert.equal(visitor.path(), path);
      await visitor.page.getByLabel("Uses to add").fill("2147483647");
      await visitor.click("button", "Add uses");
      await visitor.says("The token was not changed", "at most 2,147,483,647 uses");
      await visitor.check("a tile with a wrong number", 422);
    });

    it("keeps the tile in order with many ranges and counts", async () => {
      await visitor.open("/settings");
      const fresh = visitor.page.getByRole("group", { name: "New time range" });
      await fresh.getByLabel("Name").fill("Weihnachtsmarktbesuch am Nachmittag, spät");
      await fresh.getByLabel("From").fill("16:30");
      await fresh.getByLabel("To").fill("01:00");
      await visitor.click("button", "Save the time ranges");
      await visitor.says("40 characters at most");
      await visitor.check("a time range with a long name", 422);
      await visitor.page.getByRole("group", { name: "New time range" }).getByLabel("Name").fill("W".repeat(40));
      await visitor.click("button", "Save the time ranges");
      await visitor.fill("Numbers of uses to set with one click", [...Array(19).keys()].map((n) => 2 ** n).join(", ") + ", unlimited");
      await visitor.click("button", "Save the quick counts");
      await visitor.open(await server.token({ usage_count: -1 }));
      await visitor.check("a tile with many clicks");
    });

    it("offers links in codes only where the address is known", async () => {
      await visitor.open("/settings");
      assert.ok(await visitor.page.getByLabel("A link to the token's page").isDisabled());
      await visitor.says("started without --public-url");
    });
  });
}
