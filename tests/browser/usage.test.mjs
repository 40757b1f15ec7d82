// The log of attempts, as people read it: with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const HOSTILE = { value: `=cmd|' /C calc'!A0 <script>alert(1)</script>`, label: `"><img src=x onerror=alert(2)>` };

for (const javaScript of [true, false]) {
  describe(javaScript ? "usage with JavaScript" : "usage without JavaScript", () => {
    let server;
    let visitor;
    let tile;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const attempt = async (fields) => {
      const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" };
      const answer = await fetch(`${server.base}/consume_token`, { method: "POST", headers, body: JSON.stringify(fields) });
      await answer.text();
    };

    it("says what stands there while nothing was used", async () => {
      await visitor.open("/");
      await visitor.click("link", "Usage");
      await visitor.says("Nothing used yet");
      await visitor.check("usage empty");
    });

    it("charts and lists who used what, and why others were refused", async () => {
      tile = await server.token({ value: "T-1", label: "Anna, locker", usage_count: 4 });
      await server.token(HOSTILE);
      await server.token({ value: "W".repeat(1000) });
      for (let n = 0; n < 6; n += 1) await attempt({ value: "T-1" });
      await attempt({ value: HOSTILE.value });
      await attempt({ value: "W".repeat(1000) });
      await attempt({ value: "nobody knows this" });
      await visitor.open("/usage");
      await visitor.says("9 entries", "6 used", "3 refused", "Anna, locker", "Refused: unknown code", "API key tests");
      const drawn = visitor.page.getByRole("img", { name: "Uses and refusals by Day" });
      assert.equal(await drawn.count(), 1);
      const words = await visitor.page.locator("#chart-words").textContent();
      assert.match(words, /: 6 uses and 3 refusals\. Most: .*, 6 uses and 3 refusals\.$/);
      await visitor.check("usage");
    });

    it("has the numbers as a table, whose days lead to their entries", async () => {
      await visitor.open("/usage");
      await visitor.page.getByText("Show as a table").focus();
      await visitor.page.keyboard.press("Enter");
      const rows = visitor.page.locator("table.numbers tbody tr");
      assert.equal(await rows.count(), 30);
      const today = rows.last();
      assert.match(await today.innerText(), /6\s+3$/);
      await visitor.check("usage numbers");
      await visitor.leads(() => today.getByRole("link").click());
      await visitor.says("9 entries");
      assert.equal(await visitor.page.getByRole("img", { name: "Uses and refusals by Hour" }).count(), 1);
      assert.match(await visitor.page.getByLabel("From").inputValue(), /^\d{4}-\d\d-\d\d$/);
      await visitor.check("usage of a day");
      await visitor.page.getByText("Show as a table").click();
      const hours = visitor.page.locator("table.numbers tbody tr:has(td:text-is('6'))");
      await visitor.leads(() => hours.getByRole("link").click());
      // The first hour of a day begins as the day does, which is then what its field says.
      const hour = /^\d{4}-\d\d-\d\d(T\d\d:00[+-]\d\d:\d\d)?$/;
      assert.match(await visitor.page.getByLabel("From").inputValue(), hour, "an hour stays in its field");
      await visitor.says("9 entries");
      await visitor.check("usage of an hour");
    });

    it("goes from a bar to its entries by mouse", async () => {
      await visitor.open("/usage");
      const bar = visitor.page.locator(".over a").last();
      assert.match(await bar.locator("title").textContent(), /: 6 used, 3 refused$/);
      await visitor.leads(() => bar.click());
      await visitor.says("9 entries");
      assert.match(visitor.page.url(), /from=.*&to=/);
    });

    it("finds by outcome, value and user, and says which part to loosen", async () => {
      await visitor.open("/usage");
      await visitor.page.getByLabel("Outcome").selectOption("TokenUsageCountExceeded");
      await visitor.fill("Value or label", "t-1");
      await visitor.click("button", "Search");
      await visitor.says("2 entries", "Refused: used up");
      await visitor.page.getByLabel("User or API key", { exact: true }).selectOption({ label: "admin" });
      await visitor.click("button", "Search");
      await visitor.says("No entries match", "Remove a filter");
      await visitor.check("usage nothing found");
      await visitor.click("link", "User or API key");
      await visitor.says("2 entries");
      await visitor.open("/usage?from=2026-02-02&to=2026-01-01");
      await visitor.says("“To” must not be before “From”.");
      await visitor.check("usage with errors", 422);
    });

    it("shows all uses of a token, from its tile", async () => {
      await visitor.open(tile);
      await visitor.check("tile with all uses");
      await visitor.click("link", "All uses");
      await visitor.says("Usage of Anna, locker", "6 entries");
      await visitor.check("usage of a token");
      await visitor.click("link", "← Token");
      assert.equal(visitor.path(), tile);
    });

    it("downloads what was found, with no formula in it", async () => {
      await visitor.open("/usage?outcome=used");
      await visitor.page.getByText("Export", { exact: true }).focus();
      await visitor.page.keyboard.press("Enter");
      await visitor.check("usage export");
      const waiting = visitor.page.waitForEvent("download");
      await visitor.page.getByRole("link", { name: "CSV for Excel" }).click();
      const download = await waiting;
      assert.match(download.suggestedFilename(), /^usage-\d{4}-\d\d-\d\d-excel\.csv$/);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      const lines = Buffer.concat(chunks).toString("utf8").trimEnd().split("\r\n");
      assert.equal(lines.length, 7);
      assert.ok(lines.some((line) => line.includes(",'=cmd|' /C calc'!A0")), lines.join("\n"));
    });
  });
}
