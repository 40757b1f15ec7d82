// The documentation of the API: finding, examples by keyboard, and JavaScript that works when it is pasted.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const TOKEN = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
/** The use that the example undoes, which no server has. */
const USE = "0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7";

for (const javaScript of [true, false]) {
  describe(javaScript ? "the API's page with JavaScript" : "the API's page without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const views = () => visitor.page.locator(".docs-view:visible h3").allInnerTexts();
    const shown = () => visitor.page.locator("#add_token .docs-pane:visible").getAttribute("data-language");

    it("is linked from the keys, begins with two calls, and everybody can read it", async () => {
      await visitor.open("/keys");
      await visitor.click("link", "API documentation");
      assert.equal(visitor.path(), "/docs");
      await visitor.says("The first two calls", `curl -sS ${server.base}/add_token`);
      await visitor.check("the API");
    });

    it("shows an example in the language that is chosen, by keyboard", async () => {
      await visitor.open("/docs#add_token");
      assert.equal(await shown(), "sh");
      await visitor.page.locator("#add_token .docs-languages input").first().focus();
      await visitor.page.keyboard.press("ArrowRight");
      assert.equal(await shown(), "python");
      await visitor.page.keyboard.press("ArrowRight");
      assert.equal(await shown(), "js");
      if (!javaScript) return;
      const others = await visitor.page.locator(".docs-pane:visible").evaluateAll((all) => all.map((one) => one.dataset.language));
      assert.deepEqual([...new Set(others)], ["js"], "it holds for every example");
      await visitor.page.reload();
      assert.equal(await shown(), "js", "it is remembered");
    });

    if (javaScript) {
      it("finds views and parameters", async () => {
        await visitor.open("/docs");
        const all = await views();
        assert.ok(all.length >= 14, `${all}`);
        await visitor.page.keyboard.press("/");
        await visitor.page.keyboard.type("add_uses");
        assert.deepEqual(await views(), ["update_token", "update_tokens"]);
        assert.equal(await visitor.page.locator("#update_token-add_uses").isVisible(), true);
        assert.equal(await visitor.page.locator("#update_token-lock_time").isVisible(), false);
        await visitor.says("part");
        await visitor.fits("the API, searched");
        await visitor.page.keyboard.press("Escape");
        assert.deepEqual(await views(), all);
        await visitor.page.keyboard.type("xyzzy");
        assert.deepEqual(await views(), []);
        await visitor.says("No parts found");
        await visitor.page.evaluate(() => (location.hash = "#consume_token"));
        await visitor.page.locator("#consume_token").waitFor();
        assert.deepEqual(await views(), all, "a link shows what was hidden");
      });

      it("has JavaScript that works when it is pasted", async () => {
        await visitor.open("/docs");
        const examples = await visitor.page.locator(".docs-part:has([data-language=js])").evaluateAll((parts) =>
          parts.map((part) => [part.id, part.querySelector("[data-language=js] [data-copy]").dataset.copy]),
        );
        const order = ["start", "add_token", "consume_token"];
        const last = ["delete_token", "delete_tokens"];
        const rank = ([id]) => (order.includes(id) ? order.indexOf(id) : last.includes(id) ? 10 + last.indexOf(id) : 5);
        examples.sort((one, other) => rank(one) - rank(other));
        assert.ok(examples.length > 12);
        const folder = mkdtempSync(join(tmpdir(), "tessera-docs-"));
        const environment = { ...process.env, TESSERA_KEY: server.key };
        const authorization = `Bearer ${server.key}`;
        try {
          for (const [id, text] of examples) {
            let filled = text;
            if (id === "undo_consume") {
              const log = await fetch(`${server.base}/query_usage?token_uid=${TOKEN}`, { headers: { authorization } });
              filled = text.replace(USE, (await log.json()).usage[0].uid);
            }
            // It is deleted already, and a uid is never given twice.
            if (id === "delete_tokens") filled = text.replace(TOKEN, (await server.token()).slice(1));
            const done = spawnSync(process.execPath, ["--input-type=module", "--eval", filled], { cwd: folder, env: environment, encoding: "utf8" });
            assert.equal(done.status, 0, `${id}: ${done.stderr}`);
            assert.match(done.stdout, /success: true/, `${id}: ${done.stdout}`);
            if (id !== "add_token") continue;
            const code = await fetch(`${server.base}/${TOKEN}/qr_code`, { headers: { authorization } });
            writeFileSync(join(folder, "photo.png"), Buffer.from(await code.arrayBuffer()));
          }
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });

      it("is printed without what only a screen needs", async () => {
        await visitor.open("/docs");
        await visitor.page.emulateMedia({ media: "print" });
        for (const hidden of [".docs-aside", ".top", ".docs-code .button"]) {
          assert.equal(await visitor.page.locator(hidden).first().isVisible(), false, hidden);
        }
        assert.equal(await visitor.page.locator("#consume_token-uses").isVisible(), true);
        await visitor.page.emulateMedia({ media: null });
      });
    }
  });
}
