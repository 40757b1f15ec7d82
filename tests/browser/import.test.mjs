// A file of tokens comes in: sent, its columns chosen, looked at, and imported.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

for (const javaScript of [true, false]) {
  describe(javaScript ? "the import with JavaScript" : "the import without JavaScript", () => {
    let server;
    let visitor;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const send = async (sent) => {
      await visitor.open("/import");
      await visitor.page.getByLabel("File", { exact: true }).setInputFiles(sent);
      await visitor.click("button", "Continue");
    };

    it("adds the tokens of a file", async () => {
      const room = "A room with a name that is longer than what a column of a small screen can show";
      const lines = Array.from({ length: 30 }, (_, n) => `Locker ${n + 1};100${n + 10};${n % 4};2030-12-31;${room}`);
      await visitor.open("/");
      await visitor.click("link", "Import");
      await visitor.check("form for a file");
      await send(file("lockers.csv", ["Name;Code;uses;valid_to;Room", ...lines].join("\n")));
      await visitor.says("lockers.csv", "Locker 1", "Nothing is changed yet.");
      await visitor.check("columns of a file");
      await visitor.page.getByLabel("Label", { exact: true }).selectOption("Name");
      await visitor.page.getByLabel("Value", { exact: true }).selectOption("Code");
      await visitor.page.getByLabel("Uses left", { exact: true }).selectOption("uses");
      await visitor.page.getByLabel("Batch for new tokens").fill("Hall 3");
      await visitor.click("button", "Check the file");
      await visitor.says("Create 30 tokens?", "Hall 3", "All lines are imported together.");
      await visitor.check("what a file would add");
      await visitor.click("button", "Create 30 tokens");
      await visitor.says("30 tokens added");
      await visitor.check("imported file");
      await visitor.open("/import");
      await visitor.says("Recent imports", "Imported");
      await visitor.check("recent imports");
      await visitor.open("/?q=10039");
      await visitor.says("1 token");
    });

    it("changes tokens, and that is undone", async () => {
      await server.token({ value: "door-1", label: "Old", usage_count: 1 });
      await send(file("changes.csv", "value,label\ndoor-1,New\n"));
      await visitor.page.getByLabel("Change existing tokens, found by value").check();
      await visitor.click("button", "Check the file");
      await visitor.says("Change 1 token?", "Old", "New", "You can undo this for 30 days.");
      await visitor.check("what a file would change");
      await visitor.click("button", "Change 1 token");
      await visitor.click("link", "Show the change, or undo it");
      await visitor.says("Changed by importing changes.csv");
      await visitor.click("button", "Undo for 1 token");
      await visitor.open("/?q=door-1");
      await visitor.says("Old");
    });

    it("shows errors and what looks damaged", async () => {
      const lines = Array.from({ length: 12 }, (_, n) => `1.2${n}E+15,04-Mar,${n},11/30/2026`);
      await send(file("codes.csv", ["value,label,usage_count,valid_from", ...lines].join("\n")));
      await visitor.click("button", "Check the file");
      await visitor.says("Some lines have errors. Nothing was imported.", "24 errors in 12 lines", "Check these lines");
      await visitor.check("errors of a file");
      assert.equal(await visitor.page.getByRole("button", { name: /^Add/ }).count(), 0);
      await send({ name: "western.csv", mimeType: "text/csv", buffer: Buffer.from("label\nGr\xf6\xdfe\n", "latin1") });
      await visitor.says("This file can’t be read like this", "choose windows-1252");
      await visitor.check("file in another encoding");
      await visitor.page.getByLabel("Character encoding").selectOption("windows-1252");
      await visitor.click("button", "Check the file");
      await visitor.says("Größe");
    });
  });
}
