// What was printed, how far a print job is, own label sheets, and printers.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, it } from "node:test";

import { withServer } from "./support.mjs";

const GEOMETRY =
  '{"sheet":{"slug":"avery-l7160","name":"Avery L7160","page_width":210000,"page_height":297000,"columns":3,"rows":7,' +
  '"width":63500,"height":38100,"left":7200,"top":15150,"pitch_x":66040,"pitch_y":38100,"margin":5000},"start":1,"offset_x":500,"offset_y":0,' +
  '"text":"label","outline":false,"dpi":600,"printer":"Office","leave_out":false}';

/** A PDF of one page that says a word. */
function pdf(word) {
  const content = `BT /F1 24 Tf 60 160 Td (${word}) Tj ET`;
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
    `<</Length ${content.length}>>stream\n${content}\nendstream`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  ];
  let text = "%PDF-1.4\n";
  const places = objects.map((object, n) => {
    const place = text.length;
    text += `${n + 1} 0 obj${object}endobj\n`;
    return place;
  });
  const rows = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  return `${text}xref\n0 6\n0000000000 65535 f \n${rows}trailer<</Size 6/Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF\n`;
}

/** Writes into the server's database, as printing would. */
function write(server, sql) {
  const done = spawnSync("sqlite3", ["-cmd", ".timeout 10000", join(server.folder, "tessera.db")], { input: sql, encoding: "utf8" });
  assert.equal(done.stderr, "");
}

const now = () => `${Date.now()}000`;

/** A print run of these tokens. */
function keep(server, uids, job = "NULL", part = 1) {
  const [uid, bytes] = [randomUUID(), pdf("Labels")];
  const run = `(SELECT id FROM print_runs WHERE uid = '${uid}')`;
  const tokens = uids.map((of, n) => `(${run}, ${n + 1}, (SELECT id FROM tokens WHERE uid = '${of}'))`);
  write(
    server,
    `BEGIN IMMEDIATE;
     INSERT INTO print_runs (uid, job, part, principal, timestamp, sheet, options, start, count, pages, size, digest, done)
       VALUES ('${uid}', ${job}, ${part}, 'user:admin', ${now()}, 'avery-l7160', '${GEOMETRY}', 1, ${uids.length}, 2,
         ${bytes.length}, '${uid}', ${now()});
     INSERT INTO print_run_tokens VALUES ${tokens};
     INSERT INTO print_run_parts (run, part, bytes) VALUES (${run}, 0, x'${Buffer.from(bytes).toString("hex")}');
     COMMIT;`,
  );
  return uid;
}

for (const javaScript of [true, false]) {
  describe(javaScript ? "printed sheets with JavaScript" : "printed sheets without JavaScript", () => {
    let server;
    let visitor;
    let uids;
    let run;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    it("tells what was printed, and shows the PDF again", async () => {
      await visitor.open("/print_runs");
      await visitor.says("Nothing printed yet");
      await visitor.check("no printed sheets");
      const label = "Locker {n:03}";
      uids = (await server.view("/add_tokens", { count: 26, label, usage_count: 1, lock_time: 0 })).token_uids;
      run = keep(server, uids);
      await server.view(`/${uids[0]}/consume_token`, {});
      await server.view("/delete_token", { token_uid: uids[1] });
      await server.view("/void_token", { token_uid: uids[2] });
      await visitor.open("/print_runs");
      await visitor.check("printed sheets");
      await visitor.click("link", "Locker 001 – Locker 026");
      await visitor.says("Locker 001 – Locker 026", "26 tokens on Avery L7160", "24\nnever used", "1\nused", "1\nvoided", "1\ndeleted", "Locker 001");
      await visitor.check("print run");

      const answer = await visitor.context.request.get(`${server.base}/print_runs/${run}.pdf`);
      assert.equal(await answer.text(), pdf("Labels"));
    });

    it("finds its tokens, and voids them all", async () => {
      await visitor.open(`/print_runs/${run}`);
      await visitor.click("link", "Show tokens never used");
      await visitor.says("24 tokens", "Printed sheet: Avery L7160");
      await visitor.check("list of a print run");
      // Another search stays within the run.
      await visitor.page.getByLabel("Search label, value or ID").fill("Locker 00");
      await visitor.click("button", "Search");
      await visitor.says("7 tokens", "Printed sheet");
      await visitor.open(`/print_runs/${run}`);
      await visitor.leads(() => visitor.page.locator("main").getByRole("link", { name: "Usage", exact: true }).click());
      await visitor.says("Usage of a printed sheet", "Locker 001");
      await visitor.check("usage of a print run");
      await visitor.open(`/print_runs/${run}`);
      await visitor.click("button", "Void 25 tokens …");
      await visitor.says("25 tokens");
      await visitor.check("voiding a print run");
    });

    it("tells how far a job is", async () => {
      const job = randomUUID();
      write(
        server,
        `INSERT INTO print_jobs (uid, principal, timestamp, sheet, options, selection, total, printed, parts, cursor, seen)
           VALUES ('${job}', 'user:admin', ${now()}, 'avery-l7160', '${GEOMETRY}', '{}', 20, 10, 2, '', ${now()});`,
      );
      const id = `(SELECT id FROM print_jobs WHERE uid = '${job}')`;
      keep(server, uids.slice(0, 10), id, 1);
      await visitor.open("/print_runs");
      await visitor.says("20 tokens", "10 of 20 tokens printed");
      await visitor.check("printed sheets with a job");
      await visitor.open(`/print_jobs/${job}`);
      await visitor.says("Creating 2 PDFs", "10 of 20 tokens printed", "Part 1 of 2");
      await visitor.check("print job");
      keep(server, uids.slice(10, 20), id, 2);
      write(server, `UPDATE print_jobs SET printed = 20, ended = ${now()} WHERE uid = '${job}';`);
      await visitor.page.getByText("Part 2 of 2", { exact: true }).waitFor();
      await visitor.page.getByText("Creating 2 PDFs").waitFor({ state: "detached" });
      await visitor.check("print job done");
      write(server, `UPDATE print_jobs SET failure = 'The database is full.' WHERE uid = '${job}';`);
      await visitor.open(`/print_jobs/${job}`);
      await visitor.says("Printing stopped", "The database is full.", "Continue printing");
      await visitor.check("print job failed");
      const failure = { kind: "characters", why: "No font has it.", labels: ["“A”", "“B”"], count: 14 };
      write(server, `UPDATE print_jobs SET failure = '${JSON.stringify(failure)}' WHERE uid = '${job}';`);
      await visitor.open(`/print_jobs/${job}`);
      await visitor.says("14 labels can’t be printed", "“A”, “B” and 12 more", "Leave out these labels", "Leave out these characters");
      await visitor.check("print job with labels that cannot be printed");
      await visitor.open("/print_runs");
      await visitor.check("printed sheets with a failed job");
      await visitor.click("button", /^Dismiss/);
      await visitor.says("Print job dismissed.");
      assert.equal(await visitor.page.getByText("14 labels can’t be printed").count(), 0);
    });

    it("adds, changes and removes own sheets", async () => {
      await visitor.open("/settings");
      await visitor.check("settings of printing");
      await visitor.click("link", "All label sheets, including your own");
      await visitor.says("Built-in label sheets", "Avery L7160");
      await visitor.check("label sheets");
      await visitor.leads(() => visitor.page.getByRole("link", { name: /^Copy Avery L7160/ }).click());
      await visitor.fill("Name", "Name badges");
      await visitor.page.getByLabel("Columns").fill("4");
      await visitor.click("button", "Add label sheet");
      await visitor.says("The sheet was not saved", "but the page is 210 mm");
      await visitor.check("wrong sheet", 422);
      await visitor.page.getByLabel("Columns").fill("2");
      await visitor.click("button", "Preview");
      await visitor.page.getByRole("img", { name: "2 by 7 labels on a page" }).waitFor();
      await visitor.check("sheet drawn");
      await visitor.click("button", "Add label sheet");
      await visitor.says("Name badges", "2 × 7, 63.5 × 38.1 mm");
      await visitor.check("own sheet");
      await visitor.click("link", "Change Name badges");
      await visitor.page.getByLabel("Margin").fill("4,5");
      await visitor.click("button", "Save");
      await visitor.click("link", "Add a roll label");
      await visitor.check("sheet of a roll");
      await visitor.open("/sheets");
      await visitor.click("link", "Remove Name badges");
      await visitor.check("removing a sheet");
      await visitor.click("button", "Remove label sheet");
      await visitor.says("None yet.");
    });

    it("keeps printers by their names, whatever is in them", async () => {
      await visitor.open("/printers");
      await visitor.check("no printers");
      await visitor.fill("Name", 'HP "Office" <2nd floor>');
      await visitor.fill("Shift right", "0.5");
      await visitor.fill("Shift down", "30");
      await visitor.click("button", "Add printer");
      await visitor.says("“Shift down” must be from -20 to 20 mm.");
      await visitor.check("wrong printer", 422);
      await visitor.fill("Shift down", "-1,25");
      await visitor.click("button", "Add printer");
      await visitor.says('HP "Office" <2nd floor>', "-1.25 mm");
      await visitor.check("printers");
      await visitor.click("link", 'HP "Office" <2nd floor>');
      await visitor.fill("Name", "Office");
      await visitor.check("printer");
      await visitor.click("button", "Save");
      await visitor.click("button", "Remove Office");
      await visitor.says("Add a printer");
    });

    if (javaScript) {
      it("lets the browser's own viewer show a PDF", async () => {
        const tab = await server.signedInWithWindows();
        const answer = tab.page.waitForResponse((response) => response.url().endsWith(".pdf"));
        const opened = tab.page.goto(`${server.base}/print_runs/${run}.pdf`).catch((error) => error.message);
        assert.equal((await answer).status(), 200);
        // A browser without a viewer downloads it; one with a viewer shows it in a frame of its own.
        const how = await opened;
        if (typeof how === "string") return assert.match(how, /Download is starting|net::ERR_ABORTED/);
        const inViewer = () => tab.page.frames().some((frame) => frame.url().startsWith("chrome-extension://"));
        for (let n = 0; n < 50 && !inViewer(); n++) await tab.page.waitForTimeout(100);
        assert.ok(inViewer(), "the viewer took it");
        // A PDF names no icon, so the browser asks for one where there may be one.
        assert.deepEqual(tab.noise.filter((line) => !line.includes("/favicon.ico")), []);
      });
    }
  });
}
