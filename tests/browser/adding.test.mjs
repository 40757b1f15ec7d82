// Tokens added one after the other, many at once, and from a pasted list, with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

for (const javaScript of [true, false]) {
  describe(javaScript ? "adding with JavaScript" : "adding without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("offers samples while there is no token, and removes them again", async () => {
      await visitor.open("/");
      await visitor.says("No tokens yet", "Add the first token", "Paste a list or import");
      await visitor.click("button", "Add 12 sample tokens to try it out");
      await visitor.page.getByText("12 tokens, created").waitFor();
      await visitor.check("sample");
      await visitor.click("button", "Remove the sample");
      await visitor.says("12 tokens");
      await visitor.open("/");
      await visitor.says("No tokens yet");
    });

    it("adds one token after the other", async () => {
      await visitor.open("/add");
      await visitor.page.getByLabel("Label").fill("Anna");
      const preset = visitor.page.getByRole("button", { name: /^morning/ });
      if (javaScript) await preset.click();
      else await visitor.leads(() => preset.click());
      assert.match(await visitor.page.getByLabel("Valid from").inputValue(), /T08:00$/);
      assert.match(await visitor.page.getByLabel("Valid to").inputValue(), /T12:00$/);
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), "Anna", "what was typed is kept");
      await visitor.click("button", "Save and add another");
      await visitor.says("Token added.", "Last added: Anna");
      await visitor.check("the next token");
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), "");
      assert.match(await visitor.page.getByLabel("Valid to").inputValue(), /T12:00$/);
      // Enter saves, whatever button comes first.
      await visitor.page.getByLabel("Label").fill("Ben");
      await visitor.leads(() => visitor.page.keyboard.press("Enter"));
      await visitor.says("Token added.", "Ben");
      await visitor.click("link", "Duplicate");
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), "Ben");
      assert.match(await visitor.page.getByLabel("Valid from").inputValue(), /T08:00$/);
      await visitor.click("link", "Cancel");
    });

    it("undoes a use where it was made", async () => {
      await visitor.open(await server.token({ usage_count: 3, label: "Carl" }));
      await visitor.click("button", "Use once");
      await visitor.says("Used. 2 uses left.");
      await visitor.click("button", "Undo");
      await visitor.says("Use undone. 3 uses left.");
    });

    it("shows the labels of many tokens before they are created", async () => {
      await visitor.open("/add_many");
      await visitor.page.getByLabel("Label").fill("Locker");
      await visitor.fill("How many", "300");
      if (!javaScript) await visitor.click("button", "Preview labels");
      await visitor.says("Locker 001 … Locker 300");
      if (javaScript) {
        await visitor.fill("Start at", "7");
        await visitor.page.getByLabel("Digits").selectOption("5");
        await visitor.says("Locker 00007 … Locker 00306");
        await visitor.page.getByLabel("Label").fill("{n} / Locker");
        await visitor.says("7 / Locker … 306 / Locker");
        await visitor.page.getByLabel("Label").fill("");
        assert.equal(await visitor.page.locator("#series").isVisible(), false);
        await visitor.page.getByLabel("Label").fill("Locker");
        await visitor.page.getByLabel("Digits").selectOption("3");
        await visitor.fill("Start at", "1");
      }
      await visitor.check("many with their labels");
      await visitor.click("button", "Create 300 tokens");
      await visitor.page.getByText("300 tokens, created").waitFor();
      await visitor.says("300 tokens created.");
    });

    it("takes a pasted list", async () => {
      await visitor.open("/import");
      await visitor.page.getByLabel("Labels, one per line").fill("Dora \n\nחוברת 7\n😀 VIP, north\nDora");
      await visitor.click("button", "Preview");
      await visitor.says("Create 4 tokens?", "This label is in the list twice.", "Dora");
      await visitor.check("a pasted list");
      await visitor.click("button", "Create 4 tokens");
      await visitor.says("4 tokens added");
      // Back to each step, nothing is added twice.
      await visitor.leads(() => visitor.page.goBack());
      await visitor.says("4 tokens added");
      await visitor.open("/?q=Dora");
      await visitor.says("2 tokens");
    });

    if (javaScript) {
      it("sends a form again that was stopped with Escape, and a double click once", async () => {
        await visitor.open("/add");
        await visitor.page.getByLabel("Label").fill("Emil");
        // What gets through is counted, and goes nowhere: as a form whose answer does not come.
        await visitor.page.evaluate(() => {
          window.sent = 0;
          window.addEventListener("submit", (event) => {
            if (!event.defaultPrevented) window.sent += 1;
            event.preventDefault();
          });
        });
        const sent = () => visitor.page.evaluate(() => window.sent);
        const save = visitor.page.getByRole("button", { name: "Save", exact: true });
        await save.dblclick();
        await save.click();
        assert.equal(await sent(), 1, "several clicks are one request");
        await visitor.page.keyboard.press("Escape");
        await save.click();
        assert.equal(await sent(), 2, "one that was stopped is sent again");
        await save.click();
        assert.equal(await sent(), 2);
      });
    }
  });
}
