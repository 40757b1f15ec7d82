// The day in numbers, as people read it: with JavaScript and without.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const HOSTILE = { value: `=1+1 <script>alert(1)</script>`, label: `"><img src=x onerror=alert(2)> ${"W".repeat(80)}`, usage_count: 0 };

for (const javaScript of [true, false]) {
  describe(javaScript ? "overview with JavaScript" : "overview without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const attempt = async (fields) => {
      const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" };
      const answer = await fetch(`${server.base}/consume_token`, { method: "POST", headers, body: JSON.stringify(fields) });
      await answer.text();
    };
    const inHours = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();

    it("says what will be here", async () => {
      await visitor.open("/overview");
      await visitor.says("Nothing to count yet");
      await visitor.check("overview empty");
    });

    it("counts the day, and each number leads to what it counts", async () => {
      await server.token({ value: "T-1", label: "Locker 1", usage_count: 4, valid_to: inHours(3) });
      await server.token(HOSTILE);
      await server.token({ label: "Opens soon", valid_from: inHours(2) });
      await server.view("/add_tokens", { count: 1500, batch_name: "Summer party" });
      for (let n = 0; n < 3; n += 1) await attempt({ value: "T-1" });
      for (let n = 0; n < 7; n += 1) await attempt({ value: HOSTILE.value });
      await attempt({ value: "nobody knows this" });
      await visitor.open("/overview");
      await visitor.says("Used up", "Unknown code", "was refused 7 times");
      for (const name of ["1,501 valid now", "3 used today", "8 refused today", "1 opening in the next 24 hours"]) {
        assert.equal(await visitor.page.getByRole("link", { name, exact: true }).count(), 1, name);
      }
      await visitor.check("overview");
      await visitor.click("link", "8 refused today");
      await visitor.says("8 entries");
      await visitor.open("/overview");
      await visitor.leads(() => visitor.page.getByRole("link", { name: /was refused 7 times/ }).click());
      await visitor.says("7 entries");
      await visitor.open("/overview");
      await visitor.click("link", "1 ending in the next 24 hours");
      await visitor.says("Locker 1");
      assert.match(visitor.page.url(), /\/\?soon=ending&sort=valid_to$/);
    });
  });
}
