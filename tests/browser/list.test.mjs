// The list of tokens, and what texts do to every page of a token.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const HOSTILE = { value: `<script>alert("1")</script> {{ 7*7 }} 'x' &amp;`, label: `"><img src=x onerror=alert(2)> {{label}}` };
const LONG = [
  { value: "W".repeat(1000), label: "M".repeat(200) },
  { value: "two words ".repeat(99) + "😀", label: "👩‍👩‍👧‍👦🎟️".repeat(10) },
  { value: "كود-٤٢", label: "תווית ארוכה מאוד מימין לשמאל (עם סוגריים) 42!" },
];

for (const javaScript of [true, false]) {
  describe(javaScript ? "the list with JavaScript" : "the list without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("searches, filters, sorts and turns pages", async () => {
      await server.view("/add_tokens", { count: 120, usage_count: 1, lock_time: 0, valid_from: "", valid_to: "", label: "Guest {n:03}" });
      const rows = () => visitor.page.locator(".tokens tbody tr").count();
      const first = () => visitor.page.locator(".tokens td.label").first().innerText();
      await visitor.open("/");
      await visitor.page.getByLabel("Search label, value or ID").fill("Guest");
      await visitor.click("button", "Search");
      await visitor.says("120 tokens");
      await visitor.page.getByText("Filters", { exact: true }).click();
      await visitor.fits("open filters");
      await visitor.check("list with open filters");
      await visitor.page.getByLabel("Order").selectOption("label");
      await visitor.click("button", "Apply");
      assert.deepEqual([await rows(), await first()], [50, "Guest 001"]);
      await visitor.check("first page");
      await visitor.page.getByText("More", { exact: true }).click();
      await visitor.says("Export as CSV");
      await visitor.check("first page with its menu");
      await visitor.click("link", "Next");
      assert.deepEqual([await rows(), await first()], [50, "Guest 051"]);
      await visitor.check("second page");
      await visitor.click("link", "Next");
      assert.deepEqual([await rows(), await first()], [20, "Guest 101"]);
      assert.equal(await visitor.page.getByRole("link", { name: "Next" }).count(), 0);
      await visitor.click("link", "Back");
      assert.equal(await first(), "Guest 051");
      await visitor.click("link", "Back");
      assert.equal(await first(), "Guest 001");
      await visitor.click("link", "Last");
      assert.deepEqual([await rows(), await first()], [50, "Guest 071"]);
      await visitor.click("link", "First");
      assert.equal(await first(), "Guest 001");
      await visitor.open("/?q=Guest&state=used_up&created_from=2001-01-01");
      await visitor.says("No tokens match", "Remove a filter:", "Search: Guest", "State: Used up", "Created from: 1 Jan 2001");
      await visitor.check("nothing found");
      await visitor.leads(() => visitor.page.getByRole("link", { name: "State: Used up" }).click());
      await visitor.says("120 tokens", "Search: Guest");
      await visitor.page.getByText("Filters (1)", { exact: true }).click();
      await visitor.click("link", "Show all tokens");
      await visitor.click("link", "Label");
      assert.equal(await visitor.page.locator("th[aria-sort=ascending]").innerText(), "Label");
      assert.equal(await first(), "Guest 001");
      await visitor.click("link", "Label");
      assert.equal(await first(), "Guest 120");
      await server.token({ usage_count: 0 });
      await visitor.open("/?state=used_up");
      assert.deepEqual(await visitor.page.locator(".tokens .badge").allInnerTexts(), ["Used up"]);
      await visitor.open("/?state=nonsense");
      await visitor.says("These filters can’t be used");
      await visitor.check("a filter that cannot be used", 422);
    });

    it("shows text as text", async () => {
      await visitor.open("/add");
      await visitor.fill("Value", HOSTILE.value);
      await visitor.fill("Label", HOSTILE.label);
      await visitor.click("button", "Save");
      const tile = visitor.path();
      const shown = () => visitor.says(HOSTILE.value, HOSTILE.label);
      await shown();
      assert.equal(await visitor.page.title(), `${HOSTILE.label} · Tessera`);
      await visitor.open(`/?q=${encodeURIComponent("{{ 7*7 }}")}`);
      await visitor.says(HOSTILE.label);
      assert.equal(await visitor.page.locator("td.value bdi").getAttribute("title"), HOSTILE.value);
      await visitor.open(`${tile}/edit`);
      assert.equal(await visitor.page.getByLabel("Value").inputValue(), HOSTILE.value);
      assert.equal(await visitor.page.getByLabel("Label").inputValue(), HOSTILE.label);
      await visitor.open(`${tile}/delete`);
      await shown();
      await visitor.click("button", "Delete token");
      await visitor.open("/deleted");
      await shown();
      assert.equal(await visitor.page.locator("main script, main img").count(), 0);
      visitor.silent();
    });

    it("has room for long, wide and right-to-left text", async () => {
      const tiles = [];
      for (const fields of LONG) tiles.push(await server.token({ ...fields, usage_count: 2147483647, valid_to: "2999-12-31T23:59:59.999999" }));
      await visitor.open("/");
      await visitor.check("list with long text");
      for (const [at, tile] of tiles.entries()) {
        await visitor.open(tile);
        await visitor.says(LONG[at].label.trim(), LONG[at].value.trim());
        await visitor.check(`tile with long text ${at}`);
        await visitor.open(`${tile}/edit`);
        await visitor.fits("edit with long text");
        await visitor.open(`${tile}/delete`);
        await visitor.check(`delete with long text ${at}`);
        await visitor.click("button", "Delete token");
      }
      await visitor.open("/deleted");
      await visitor.check("deleted with long text");
      await visitor.open(`/?q=${"W".repeat(1000)}`);
      await visitor.fits("nothing found for a long text");
    });
  });
}
