// Batches, tiles, and changes to many tokens, in a real browser, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { act, showBarInPlace, tick } from "./selection.mjs";
import { withServer } from "./support.mjs";

const LONG = "M".repeat(150) + "👩‍👩‍👧‍👦 תווית מימין {n:03}";

for (const javaScript of [true, false]) {
  describe(javaScript ? "with JavaScript" : "without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("tells what to do while there is nothing", async () => {
      for (const [path, words] of [["/", "No tokens yet"], ["/batches", "No batches yet"], ["/actions", "No actions yet"]]) {
        await visitor.open(path);
        await visitor.says(words);
        await visitor.check(`${path} while there is nothing`);
      }
    });

    it("makes many tokens as a batch", async () => {
      await visitor.open("/");
      await visitor.click("link", "Add many");
      await visitor.check("add many");
      await visitor.fill("How many", "70");
      await visitor.fill("Batch name", "Summer party");
      await visitor.page.getByLabel("Label", { exact: false }).fill("{n:x}");
      await visitor.click("button", /^Create (70 )?tokens$/);
      await visitor.says("No tokens were created", "Write a running number as");
      assert.equal(await visitor.page.getByLabel("How many").inputValue(), "70", "what was typed is kept");
      await visitor.check("add many with errors", 422);
      await visitor.page.getByLabel("Label", { exact: false }).fill("Gate {n:03}");
      await visitor.page.getByLabel("Uses", { exact: true }).fill("3");
      await visitor.click("button", /^Create (70 )?tokens$/);
      await visitor.page.getByText("70 tokens, created").waitFor();
      await visitor.says("70 tokens created.", "Summer party");
      await visitor.check("batch");
      await visitor.page.getByLabel("Name", { exact: true }).fill("Winter party");
      await visitor.click("button", "Rename");
      await visitor.says("Batch renamed.", "Winter party");
      await visitor.leads(() => visitor.page.locator("main").getByRole("link", { name: "Print", exact: true }).click());
      await visitor.says("Print labels", "70 tokens", "Page 1 of 4");
      await visitor.check("sheet of a batch");
      await visitor.open("/batches");
      await visitor.says("Winter party");
      await visitor.check("batches");
    });

    /** Looks at a page of progress, which does not ask meanwhile whether the work is done: it would lead to another page. */
    const unfinished = async (look) => {
      await visitor.page.route("**/*", (route) => (route.request().resourceType() === "fetch" ? route.abort() : route.continue()));
      await look();
      await visitor.page.unrouteAll();
      visitor.noise = visitor.noise.filter((line) => !/net::ERR_FAILED/.test(line));
    };

    it("tells how far the making is", async () => {
      await visitor.open("/add_many");
      await visitor.fill("How many", "30000");
      await visitor.click("button", javaScript ? "Create 30,000 tokens" : "Create tokens");
      if ((await visitor.text()).includes("Creating 30,000 tokens")) await unfinished(() => visitor.check("making"));
      await visitor.page.getByText("30,000 tokens, created").waitFor({ timeout: 60_000 });
    });

    it("tells how far a change is", async () => {
      await visitor.click("button", "Delete all tokens …");
      await visitor.click("button", "Delete 30,000 tokens");
      if ((await visitor.text()).includes("Deleting 30,000 tokens")) {
        await unfinished(() => visitor.check("deleting"));
      }
      await visitor.page.getByText("30,000 tokens deleted.").waitFor({ timeout: 120_000 });
      await visitor.says("Undo");
    });

    it("shows tokens as tiles, in the size that was chosen last", async () => {
      await server.token({ label: LONG });
      await server.token({ label: "used up", usage_count: 0 });
      await visitor.open("/");
      await visitor.click("link", "Tiles");
      await visitor.check("tiles");
      const size = visitor.page.getByLabel("Tile size");
      await size.focus();
      for (let n = 0; n < 2; n++) await visitor.page.keyboard.press("ArrowRight");
      if (!javaScript) await visitor.click("button", "Show");
      await visitor.open("/?view=tiles");
      assert.equal(await visitor.page.locator("#tiles").getAttribute("data-size"), "5");
      await visitor.fits("large tiles");
      await size.focus();
      await visitor.page.keyboard.press("Home");
      if (!javaScript) await visitor.click("button", "Show");
      await visitor.fits("small tiles");
      await visitor.open("/?view=tiles&q=Gate");
      await visitor.click("link", "Next");
      await visitor.says("70 tokens", "Gate 001");
      await visitor.fill("Search label, value or ID", "nothing like it");
      await visitor.click("button", "Search");
      assert.match(visitor.page.url(), /view=tiles/);
      await visitor.says("No tokens match", "Search: nothing like it");
      await visitor.check("tiles with nothing found");
    });

    it("changes ticked tokens, and undoes all of it", async () => {
      await visitor.open("/?q=Gate");
      await tick(visitor, 3);
      if (javaScript) assert.equal(await visitor.text("[data-picked]"), "3 selected");
      await showBarInPlace(visitor);
      await visitor.check("list with a selection");
      await act(visitor, "Add uses");
      await visitor.check("bulk");
      await visitor.fill("Uses to add", "-3");
      await visitor.click("button", "Preview");
      await visitor.says("Will change 3 tokens", "Before", "After");
      await visitor.check("bulk preview");
      await visitor.click("button", "Change 3 tokens");
      await visitor.says("3 tokens changed.", "Gate");
      assert.equal(visitor.path(), "/");
      await visitor.check("list after a change");
      await visitor.open("/actions");
      await visitor.leads(() => visitor.page.getByRole("link", { name: /Gate \d+ – Gate \d+/ }).first().click());
      await visitor.says("3 uses removed");
      await visitor.check("action");
      await visitor.click("button", "Undo for 3 tokens");
      await visitor.says("Change undone.");
      await visitor.check("action undone");
      await visitor.open("/actions");
      await visitor.says("3 uses removed", "undone");
      await visitor.check("actions");
    });

    it("asks for each kind of change", async () => {
      const fill = {
        "Change validity": async () => {
          await visitor.page.getByLabel("End", { exact: true }).selectOption("Set to the time below");
          await visitor.fill("Valid to", "2999-12-31T18:00");
        },
        "Set uses": () => visitor.page.getByLabel("Unlimited").check(),
        "Change lock": () => visitor.fill("Lock after each use", "90"),
        "Change label": () => visitor.page.getByLabel("Label").fill("Door {n}"),
      };
      for (const [kind, type] of Object.entries(fill)) {
        await visitor.open("/?q=Gate");
        await tick(visitor, 2);
        await act(visitor, kind);
        await visitor.check(`bulk: ${kind}`);
        await type();
        await visitor.click("button", "Preview");
        await visitor.click("button", "Change 2 tokens");
        await visitor.says("2 tokens changed.");
      }
      await visitor.open("/?q=Door");
      await visitor.says("2 tokens", "Door 1");
    });

    it("deletes all that a filter finds, unless it changed meanwhile", async () => {
      await visitor.open("/?q=Gate");
      await act(visitor, "Delete", "all");
      await visitor.says("Will delete 68 tokens");
      await visitor.check("bulk deletion");
      await server.token({ label: "Gate of last minute" });
      await visitor.click("button", "Delete 68 tokens");
      await visitor.says("Nothing was changed", "69 tokens");
      await visitor.check("bulk deletion that is stale", 409);
      await visitor.click("button", "Delete 69 tokens");
      await visitor.says("69 tokens deleted.", "No tokens match");
      await visitor.check("deletion");
      await server.token({ value: "Gate-X", label: "Gate X" });
      await visitor.click("button", "Undo");
      await visitor.says("Change undone.");
      await visitor.open("/?q=Gate");
      await visitor.says("70 tokens");
    });

    it("names what an undo leaves", async () => {
      await server.token({ label: "Two of them: A" });
      const other = await server.token({ label: "Two of them: B" });
      await visitor.open("/?q=Two+of+them");
      await act(visitor, "Change lock", "page");
      await visitor.fill("Lock after each use", "5");
      await visitor.click("button", "Preview");
      await visitor.click("button", "Change 2 tokens");
      await server.view(`${other}/update_token`, { label: "Two of them: later" });
      await visitor.click("button", "Undo");
      await visitor.says("Change undone for 1 token. Left unchanged: 1 token, listed below.", "Not undone", "Two of them: later", "changed later");
      await visitor.check("action with what is left");
    });

    it("works by keyboard alone", async () => {
      await visitor.open("/?q=Door");
      const { page } = visitor;
      const tabTo = async (wanted) => {
        for (let n = 0; n < 60; n++) {
          await page.keyboard.press("Tab");
          const name = await page.evaluate(() => {
            const at = document.activeElement;
            return at.labels?.[0]?.textContent.trim() || at.textContent.trim();
          });
          if (name.startsWith(wanted)) return;
        }
        assert.fail(`${wanted} cannot be reached with the Tab key`);
      };
      await tabTo("Select Door");
      await page.keyboard.press("Space");
      if (javaScript) {
        await tabTo("Set uses");
      } else {
        await tabTo("Action");
        await page.keyboard.type("Set uses");
        await tabTo("Selected");
      }
      await visitor.leads(() => page.keyboard.press("Enter"));
      await tabTo("Uses left");
      await page.keyboard.type("7");
      await visitor.leads(() => page.keyboard.press("Enter"));
      await tabTo("Change 1 token");
      await visitor.leads(() => page.keyboard.press("Enter"));
      await visitor.says("1 token changed.", "7 left");
    });
  });
}

