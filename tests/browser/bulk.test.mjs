// Batches, the overview, and changes to many tokens, in a real browser, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const LONG = "M".repeat(150) + "👩‍👩‍👧‍👦 תווית מימין {n:03}";

for (const javaScript of [true, false]) {
  describe(javaScript ? "with JavaScript" : "without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const tick = async (count) => {
      for (let n = 0; n < count; n++) await visitor.page.getByRole("checkbox").nth(n).check();
    };
    const choose = (label, option) => visitor.page.getByLabel(label, { exact: true }).selectOption(option);

    it("tells what to do while there is nothing", async () => {
      for (const [path, words] of [["/overview", "No tokens yet"], ["/batches", "No batches yet"], ["/actions", "Nothing was done yet"]]) {
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
      await visitor.click("button", "Create 70 tokens");
      await visitor.says("No tokens were created", "Write a running number as");
      assert.equal(await visitor.page.getByLabel("How many").inputValue(), "70", "what was typed is kept");
      await visitor.check("add many with errors", 422);
      await visitor.page.getByLabel("Label", { exact: false }).fill("Gate {n:03}");
      await visitor.page.getByLabel("Uses", { exact: true }).fill("3");
      await visitor.click("button", "Create 70 tokens");
      await visitor.page.getByText("70 tokens, created").waitFor();
      await visitor.says("70 tokens created.", "Summer party");
      await visitor.check("batch");
      await visitor.page.getByLabel("Name", { exact: true }).fill("Winter party");
      await visitor.click("button", "Rename");
      await visitor.says("Batch renamed.", "Winter party");
      await visitor.click("link", "Print");
      await visitor.says("Print labels", "70 tokens", "Page 1 of 4");
      await visitor.check("sheet of a batch");
      await visitor.open("/batches");
      await visitor.says("Winter party");
      await visitor.check("batches");
    });

    it("tells how far the making is", async () => {
      await visitor.open("/add_many");
      await visitor.fill("How many", "60000");
      await visitor.click("button", javaScript ? "Create 60,000 tokens" : "Create tokens");
      if ((await visitor.text()).includes("Creating 60,000 tokens")) await visitor.check("making");
      await visitor.page.getByText("60,000 tokens, created").waitFor({ timeout: 60_000 });
    });

    it("tells how far a change is", async () => {
      await visitor.click("button", "Delete all tokens …");
      await visitor.click("button", "Delete 60,000 tokens");
      if ((await visitor.text()).includes("Deleting 60,000 tokens")) {
        await visitor.check("deleting");
        await visitor.fits("an action under way");
      }
      await visitor.page.getByText("It is done.").waitFor({ timeout: 120_000 });
      await visitor.says("60,000 tokens", "Undo for 60,000 tokens");
    });

    it("shows tokens as tiles, in the size that was chosen last", async () => {
      await server.token({ label: LONG });
      await server.token({ label: "used up", usage_count: 0 });
      await visitor.open("/overview");
      await visitor.check("overview");
      const size = visitor.page.getByLabel("Tile size");
      await size.focus();
      for (let n = 0; n < 2; n++) await visitor.page.keyboard.press("ArrowRight");
      if (!javaScript) await visitor.click("button", "Show");
      await visitor.open("/overview");
      assert.equal(await visitor.page.locator("#tiles").getAttribute("data-size"), "5");
      await visitor.fits("overview of large tiles");
      await size.focus();
      await visitor.page.keyboard.press("Home");
      if (!javaScript) await visitor.click("button", "Show");
      await visitor.fits("overview of small tiles");
      await visitor.open("/overview?q=Gate");
      await visitor.click("link", "Next");
      await visitor.says("70 tokens", "Gate 001");
      await visitor.open("/overview?q=nothing+like+it");
      await visitor.says("Nothing is found");
      await visitor.check("overview with nothing found");
    });

    it("changes ticked tokens, and undoes all of it", async () => {
      await visitor.open("/overview?q=Gate");
      await tick(3);
      if (javaScript) assert.equal(await visitor.text("[data-ticked]"), "3 ticked");
      await choose("What", "Add uses");
      await visitor.click("button", "Go on");
      await visitor.check("bulk");
      await visitor.fill("Uses to add", "-3");
      await visitor.click("button", "Preview");
      await visitor.says("3 uses taken away", "3 tokens", "Now", "Then");
      await visitor.check("bulk preview");
      await visitor.click("button", "Change 3 tokens");
      await visitor.says("It is done.", "3 uses taken away");
      await visitor.check("action");
      await visitor.click("button", "Undo for 3 tokens");
      await visitor.says("It is undone.");
      await visitor.check("action undone");
      await visitor.open("/actions");
      await visitor.says("3 uses taken away", "undone");
      await visitor.check("actions");
    });

    it("asks for each kind of change", async () => {
      const fill = {
        "Change validity": async () => {
          await visitor.page.getByLabel("The end").selectOption("becomes the time below");
          await visitor.fill("Valid to", "2999-12-31T18:00");
        },
        "Set uses": () => visitor.page.getByLabel("Unlimited").check(),
        "Change lock": () => visitor.fill("Lock after each use", "90"),
        "Change label": () => visitor.page.getByLabel("Label").fill("Door {n}"),
      };
      for (const [kind, type] of Object.entries(fill)) {
        await visitor.open("/overview?q=Gate");
        await tick(2);
        await choose("What", kind);
        await visitor.click("button", "Go on");
        await visitor.check(`bulk: ${kind}`);
        await type();
        await visitor.click("button", "Preview");
        await visitor.click("button", "Change 2 tokens");
        await visitor.says("It is done.");
      }
      await visitor.open("/overview?q=Door");
      await visitor.says("2 tokens", "Door 1");
    });

    it("deletes all that a filter finds, unless it changed meanwhile", async () => {
      await visitor.open("/overview?q=Gate");
      await choose("Which", { index: 2 });
      await choose("What", "Delete");
      await visitor.click("button", "Go on");
      await visitor.says("Delete 68 tokens?");
      await visitor.check("bulk deletion");
      await server.token({ label: "Gate of last minute" });
      await visitor.click("button", "Delete 68 tokens");
      await visitor.says("Nothing was done", "69 tokens");
      await visitor.check("bulk deletion that is stale", 409);
      await visitor.click("button", "Delete 69 tokens");
      await visitor.says("It is done.", "69 tokens");
      await visitor.check("deletion");
      await server.token({ value: "Gate-X", label: "Gate X" });
      await visitor.click("button", "Undo for 69 tokens");
      await visitor.says("It is undone.");
      await visitor.open("/overview?q=Gate");
      await visitor.says("70 tokens");
    });

    it("names what an undo leaves", async () => {
      await server.token({ label: "Two of them: A" });
      const other = await server.token({ label: "Two of them: B" });
      await visitor.open("/overview?q=Two+of+them");
      await choose("Which", { index: 1 });
      await choose("What", "Change lock");
      await visitor.click("button", "Go on");
      await visitor.fill("Lock after each use", "5");
      await visitor.click("button", "Preview");
      await visitor.click("button", "Change 2 tokens");
      await server.view(`${other}/update_token`, { label: "Two of them: later" });
      await visitor.click("button", "Undo for 2 tokens");
      await visitor.says("Left as they are", "Two of them: later", "was changed later");
      await visitor.check("action with what is left");
    });

    it("works by keyboard alone", async () => {
      await visitor.open("/overview?q=Door");
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
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press("Shift+Tab");
        if (await page.evaluate(() => document.activeElement.id === "do")) break;
      }
      await page.keyboard.type("Set uses");
      await tabTo("Go on");
      await visitor.leads(() => page.keyboard.press("Enter"));
      await tabTo("Uses left");
      await page.keyboard.type("7");
      await visitor.leads(() => page.keyboard.press("Enter"));
      await tabTo("Change 1 token");
      await visitor.leads(() => page.keyboard.press("Enter"));
      await visitor.says("It is done.", "Uses set to 7");
    });
  });
}

