// Labels on paper: choosing, seeing, checking and printing them, and measuring a printer.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";

import { act, tick } from "./selection.mjs";
import { PASSWORD, withServer } from "./support.mjs";

const ARABIC = "تذكرة دخول رقم ١٢";
const LONG = `${"Locker on the second floor, behind the stairs, ".repeat(5)}`.slice(0, 200).trim();
const PRINTER = 'HP "Office" <2nd>';
/** A PDF's page of this size in millimetres, in points. */
const points = (millimetres) => (millimetres * 72) / 25.4;

function unpacked(bytes) {
  try {
    return inflateSync(bytes).toString("latin1");
  } catch {
    return "";
  }
}

/** The sizes of a PDF's pages, in points. */
function pagesOf(pdf) {
  const text = pdf.toString("latin1");
  // A page's own object may stand in a stream that is packed.
  const packed = [...text.matchAll(/stream\r?\n/g)].map((found) => unpacked(pdf.subarray(found.index + found[0].length)));
  const boxes = [...(text + packed.join("")).matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]/g)];
  return boxes.map((box) => [Number(box[1]), Number(box[2])]);
}

function arePages(pdf, count, width, height) {
  const sizes = pagesOf(pdf);
  assert.equal(sizes.length, count, `pages: ${JSON.stringify(sizes)}`);
  for (const size of sizes) {
    assert.ok(Math.abs(size[0] - points(width)) < 1 && Math.abs(size[1] - points(height)) < 1, `size: ${size}`);
  }
}

for (const javaScript of [true, false]) {
  describe(javaScript ? "label sheets with JavaScript" : "label sheets without JavaScript", () => {
    let server;
    let visitor;
    let uids;

    withServer(javaScript, (opened) => ({ server, visitor } = opened));

    const main = () => visitor.page.locator("main");
    const chosen = (label) => visitor.page.getByLabel(label, { exact: true });
    const print = () => visitor.leads(() => main().getByRole("link", { name: "Print", exact: true }).click());
    const hatched = () => visitor.page.locator("#preview svg .used").count();
    /** Changes the form, and waits until the page is drawn anew: by itself, or when it is asked for. */
    const shows = async (change) => {
      if (!javaScript) {
        await change();
        return visitor.click("button", "Update preview");
      }
      const answer = visitor.page.waitForResponse((response) => new URL(response.url()).pathname === "/sheet");
      await change();
      await answer;
      await visitor.page.locator("#preview:not([aria-busy])").waitFor();
    };
    const pageIs = (words) => visitor.page.locator("#preview h2").getByText(words, { exact: true }).waitFor();
    /** Presses what leads to another page, or draws another one of the sheet. */
    const turn = async (name) => {
      const button = visitor.page.getByRole("button", { name, exact: true });
      await (javaScript ? button.click() : visitor.leads(() => button.click()));
    };
    /** What the form would send to be printed. */
    const sent = async () => {
      const fields = await visitor.page.locator("#print").evaluate((form) => [...new FormData(form)]);
      return new URLSearchParams(fields).toString();
    };
    const pdf = async (path, form) => {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const answer = await visitor.context.request.post(server.base + path, { headers, data: form });
      assert.equal(answer.status(), 200, await answer.text());
      assert.equal(answer.headers()["content-type"], "application/pdf");
      return answer.body();
    };

    it("says so while there is nothing to print", async () => {
      await visitor.open("/sheet?all=1");
      await visitor.says("These labels can’t be printed yet", "No tokens to print. Voided tokens are not printed. Choose other tokens.");
      await visitor.check("sheet of nothing", 422);
    });

    it("is found from everywhere", async () => {
      const plain = { usage_count: 1, lock_time: 0 };
      const made = await server.view("/add_tokens", { ...plain, count: 30, label: "Locker {n:02}", batch_name: "Lockers" });
      uids = made.token_uids;
      await visitor.open("/?q=Locker+0");
      await print();
      await visitor.says("Print labels", "12 tokens", "One page");
      await visitor.check("sheet");
      await visitor.open(`/${uids[0]}`);
      await print();
      await visitor.says("1 token");
      await visitor.open("/?view=tiles");
      await tick(visitor, 3);
      await act(visitor, "Print");
      await visitor.says("3 tokens");
      await visitor.open("/?q=Locker");
      await visitor.leads(() => visitor.page.locator("main").getByRole("link", { name: "Print", exact: true }).first().click());
      await visitor.says("30 tokens", "Page 1 of 2");
      await visitor.click("link", "Choose other tokens");
      assert.equal(visitor.path(), "/");
      await visitor.open("/batches");
      await visitor.click("link", "Lockers");
      await visitor.leads(() => visitor.page.locator("main").getByRole("link", { name: "Print", exact: true }).click());
      await visitor.says("30 tokens", "Page 1 of 2");
    });

    it("draws each page as it will be printed", async () => {
      await visitor.open("/sheet?q=Locker");
      await shows(() => chosen("Sheet").selectOption("avery-l7160"));
      await pageIs("Page 1 of 2");
      assert.equal(await hatched(), 0);
      await visitor.page.locator("#preview a.place").nth(9).click();
      await visitor.page.locator("#preview svg .used").waitFor();
      assert.equal(await chosen("Start at label").inputValue(), "10");
      await turn("Next");
      await pageIs("Page 2 of 2");
      assert.equal(await hatched(), 0, "only the first page is used up");
      assert.ok(await visitor.page.getByRole("button", { name: "Next", exact: true }).isDisabled());
      if (javaScript) {
        const focused = () => visitor.page.evaluate(() => document.activeElement.textContent);
        assert.equal(await focused(), "Previous", "the keyboard is not lost");
      }
      await visitor.check("second page");
      await turn("Previous");
      await pageIs("Page 1 of 2");
      const glyphs = () => visitor.page.locator("#preview svg use").count();
      const withLabel = await glyphs();
      await shows(() => visitor.page.getByRole("radio", { name: "Value", exact: true }).check());
      assert.ok((await glyphs()) > withLabel, "a uid is longer than a label");
      await shows(() => visitor.page.getByRole("radio", { name: "Nothing", exact: true }).check());
      assert.equal(await glyphs(), 0);
      const strokes = () => visitor.page.locator("#preview svg g > path[stroke='#000']").count();
      assert.equal(await strokes(), 0);
      await shows(() => visitor.page.getByLabel("Draw the edges of the labels").check());
      assert.ok((await strokes()) > 0);
      await visitor.check("sheet with edges");
      await shows(() => chosen("Sheet").selectOption("herma-4616"));
      assert.equal(await chosen("Start at label").inputValue(), "1", "another sheet is another paper in the hand");
    });

    it("has its actions in sight, and asks what to print where nothing says so", async () => {
      const size = visitor.page.viewportSize();
      for (const width of [1280, 1024]) {
        await visitor.page.setViewportSize({ width, height: 800 });
        await visitor.open("/sheet?q=Locker&sheet=avery-l7160");
        const box = await visitor.page.getByRole("button", { name: "Open the PDF" }).boundingBox();
        assert.ok(box.y + box.height <= 800, `at ${width}: ${JSON.stringify(box)}`);
        const form = await visitor.page.locator("#print").boundingBox();
        const paper = await visitor.page.locator("#preview svg").first().boundingBox();
        assert.ok(form.x + form.width <= paper.x, "choices left, the page right");
        assert.ok(paper.y < 800, `the page begins at ${paper.y}`);
      }
      await visitor.page.setViewportSize({ width: 375, height: 740 });
      const button = visitor.page.getByRole("button", { name: "Open the PDF" });
      await button.scrollIntoViewIfNeeded();
      assert.ok(await button.isVisible());
      const wide = await visitor.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 375, `${wide} wide`);
      await visitor.page.setViewportSize(size);
      await visitor.open("/sheet");
      await visitor.says("What do you want to print?", "Lockers", "30 tokens", "Not printed yet");
      await visitor.check("what to print");
      await visitor.page.getByRole("navigation", { name: "Printing" }).getByRole("link", { name: "Printers" }).waitFor();
      await visitor.click("link", "Lockers");
      await visitor.says("30 tokens", "Page 1 of 2");
    });

    it("prints larger text and a second line", async () => {
      await visitor.open("/sheet?q=Locker+01&sheet=avery-l7160");
      const glyphs = () => visitor.page.locator("#preview svg use").count();
      const inked = async () => (await visitor.page.locator("#preview svg use").first().boundingBox()).height;
      const [before, height] = [await glyphs(), await inked()];
      await shows(() => visitor.page.getByRole("radio", { name: "Large" }).check());
      assert.ok((await inked()) > height);
      assert.equal(await chosen("Text of the second line").isVisible(), false);
      await shows(() => chosen("Second line").selectOption("text"));
      await shows(() => chosen("Text of the second line").fill("Hat"));
      assert.equal(await glyphs(), before + 3);
      await visitor.check("second line");
      await shows(() => chosen("Second line").selectOption("batch"));
      assert.equal(await glyphs(), before + "Lockers".length);
    });

    it("names what is wrong beside the field and on top, until it is mended", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160");
      const start = chosen("Start at label");
      if (javaScript) await shows(() => start.fill("22"));
      else await visitor.open("/sheet?q=Locker&sheet=avery-l7160&start=22");
      await visitor.page.locator("#start-error").waitFor();
      await visitor.page.locator("#problems").getByRole("link").waitFor();
      assert.equal(await start.getAttribute("aria-invalid"), "true");
      if (javaScript) visitor.noise.splice(0);
      await visitor.check("start beyond the sheet", javaScript ? 200 : 422);
      await shows(() => start.fill("21"));
      await visitor.page.locator("#problems").waitFor({ state: "detached" });
      await visitor.page.locator("#start-error").waitFor({ state: "detached" });
      assert.equal(await start.getAttribute("aria-invalid"), null);
      await shows(() => chosen("Sheet").selectOption("avery-l4731"));
      await visitor.page.locator("#problems").waitFor();
      await visitor.page.locator("#sheet-error").waitFor();
      if (javaScript) visitor.noise.splice(0);
      await visitor.check("codes too fine for the printer", javaScript ? 200 : 422);
      await shows(() => chosen("Resolution").fill("600"));
      await visitor.page.locator("#problems").waitFor({ state: "detached" });
    });

    it("opens the PDF, and offers the next free label afterwards", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160&start=10");
      const opened = visitor.context.waitForEvent("page");
      const answer = visitor.context.waitForEvent("response", (response) => response.url().endsWith("/sheet.pdf"));
      await visitor.page.getByRole("button", { name: "Open the PDF" }).click();
      assert.equal((await answer).status(), 200);
      assert.equal((await answer).headers()["content-type"], "application/pdf");
      await (await opened).close();
      if (javaScript) {
        // Whoever comes back from the PDF is told where to go on; what was typed stays.
        await visitor.page.evaluate(() => dispatchEvent(new Event("focus")));
        await visitor.page.getByRole("button", { name: "Continue at label 19" }).waitFor();
        assert.equal(await chosen("Start at label").inputValue(), "10");
      }
      arePages(await pdf("/sheet.pdf", await sent()), 2, 210, 297);
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160");
      assert.equal(await chosen("Start at label").inputValue(), "19");
      await visitor.says("Your last sheet ended at label 18.");
      const start = async (name) => {
        const button = visitor.page.getByRole("button", { name, exact: true });
        await (javaScript ? shows(() => button.click()) : visitor.leads(() => button.click()));
        assert.equal(await visitor.page.getByRole("button", { name, exact: true }).getAttribute("aria-pressed"), "true");
        if (javaScript) assert.equal(await visitor.page.evaluate(() => document.activeElement.textContent), name);
        return chosen("Start at label").inputValue();
      };
      assert.equal(await start("Start on a new sheet"), "1");
      await visitor.check("start on a new sheet");
      assert.equal(await start("Continue at label 19"), "19");
      await visitor.page.reload();
      assert.equal(await chosen("Start at label").inputValue(), "19");
      await visitor.open("/print_runs");
      await visitor.says("Avery L7160", "30");
    });

    it("checks that it scans", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160&start=10");
      await visitor.click("button", "Check that the codes scan");
      await visitor.page.getByText("30 tokens checked: every code can be scanned and is correct.").waitFor();
      await visitor.says("Page 1: 12 codes read", "Page 2: 18 codes read");
      await visitor.check("check that it scans");
      await visitor.click("button", "Back to the sheet");
      assert.equal(await chosen("Start at label").inputValue(), "10");
    });

    it("prints from the browser, every page in the sheet's size", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160&start=10");
      await visitor.click("button", "Print from the browser");
      await visitor.page.getByText("30 tokens", { exact: true }).waitFor();
      await visitor.check("labels of the browser");
      arePages(await visitor.page.pdf({ preferCSSPageSize: true }), 2, 210, 297);
      await visitor.click("link", "Show this printed sheet");
      await visitor.says("Lockers", "30 tokens on Avery L7160");
    });

    it("prints on a roll", async () => {
      await visitor.open("/sheets");
      await visitor.click("link", "Add a roll label");
      await visitor.fill("Name", "Brother 62 × 29");
      const sides = { page_width: 62, width: 62, pitch_x: 62, page_height: 29, height: 29, pitch_y: 29, margin: 1.5 };
      for (const [name, value] of Object.entries(sides)) await visitor.page.locator(`#${name}`).fill(String(value));
      await visitor.click("button", "Add label sheet");
      await visitor.open("/sheet?q=Locker+0");
      await shows(() => chosen("Sheet").selectOption({ label: "Brother 62 × 29" }));
      await pageIs("Page 1 of 12");
      await visitor.check("sheet of a roll");
      const form = await sent();
      await visitor.click("button", "Print from the browser");
      arePages(await visitor.page.pdf({ preferCSSPageSize: true }), 12, 62, 29);
      arePages(await pdf("/sheet.pdf", form), 12, 62, 29);
    });

    it("measures a printer, and prints with its offsets", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160");
      await visitor.click("link", "Align your printer");
      await visitor.check("measuring");
      const answer = await visitor.context.request.get(`${server.base}/sheet/calibrate.pdf?sheet=avery-l7160`);
      arePages(await answer.body(), 1, 210, 297);
      await visitor.fill("Printer", PRINTER);
      await visitor.fill("Paper’s left edge to the vertical line", "3.12");
      await visitor.fill("Paper’s top edge to the horizontal line", "29,5");
      await visitor.click("button", "Save printer");
      await visitor.says("The printer was not saved", "3.12 mm is more than 20 mm away from 30 mm");
      assert.equal(await visitor.page.getByLabel("Printer", { exact: true }).inputValue(), PRINTER);
      await visitor.check("measured wrongly", 422);
      await visitor.fill("Paper’s left edge to the vertical line", "31.2");
      await visitor.click("button", "Save printer");
      assert.equal(await visitor.text(".flash"), "Printer saved. Choose what to print.");
      await visitor.check("what to print");
      await visitor.page.getByRole("link", { name: "All tokens", exact: true }).click();
      assert.equal(await chosen("Printer").inputValue(), PRINTER);
      assert.equal(await chosen("Shift right").inputValue(), "-1.2");
      assert.equal(await chosen("Shift down").inputValue(), "0.5");
      await visitor.check("sheet of a printer");
      await shows(() => chosen("Printer").selectOption(""));
      assert.equal(await chosen("Shift right").inputValue(), "0");
    });

    it("shows labels of any script and length", async () => {
      await server.token({ label: ARABIC });
      await server.token({ label: LONG });
      await server.token({ label: "Party 🎉" });
      await visitor.open(`/sheet?q=${encodeURIComponent(ARABIC)}&sheet=avery-l7160`);
      await visitor.check("sheet of an Arabic label");
      await visitor.open("/sheet?q=behind+the+stairs&sheet=avery-l7651");
      await visitor.check("sheet of a long label");
      await visitor.open("/sheet?q=Party&sheet=avery-l7160");
      await visitor.says("These labels can’t be printed yet", "🎉", "Leave out these characters", "add a font");
      await visitor.check("a character that no font has", 422);
      assert.equal(await visitor.page.getByText("U+1F389").count(), 1, "it is said once");
      await visitor.click("button", "Leave out these characters");
      assert.equal(await visitor.page.locator("#problems").count(), 0);
      assert.ok(await visitor.page.getByLabel("Leave out characters that no font has").isChecked());
      await visitor.check("characters left out");
    });

    it("works by keyboard alone", async () => {
      await visitor.open("/sheet?q=Locker&sheet=avery-l7160&start=1");
      const { keyboard } = visitor.page;
      const focus = () => visitor.page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
      const to = async (name) => {
        for (let n = 0; n < 60 && (await focus()) !== name; n++) await keyboard.press("Tab");
        assert.equal(await focus(), name);
      };
      await to("start");
      await shows(async () => {
        await keyboard.press("ControlOrMeta+a");
        await keyboard.type("4");
        if (javaScript) await keyboard.press("Tab");
      });
      await visitor.page.locator("#preview svg .used").waitFor();
      assert.equal(await chosen("Start at label").inputValue(), "4");
      await to("Check that the codes scan");
      await visitor.leads(() => keyboard.press("Enter"));
      await visitor.page.getByText("every code can be scanned").waitFor();
    });

    it("lets who may only look print as well", async () => {
      server.run(["user", "add", "viewer", "--role", "viewer", "--password-stdin"], `${PASSWORD}\n`);
      const viewer = await server.signedIn("viewer");
      await viewer.open("/sheet?q=Locker&sheet=avery-l7160");
      assert.equal(await viewer.page.getByLabel("Start at label").inputValue(), "1", "everybody has a sheet of their own");
      assert.equal(await viewer.page.getByRole("link", { name: "Label sheets", exact: true }).count(), 0);
      await viewer.check("sheet of a viewer");
      await viewer.open("/?q=Locker");
      await tick(viewer, 1);
      await act(viewer, "Print");
      await viewer.says("1 token");
      await viewer.close();
    });

    it("makes more than 10,000 labels as several PDFs", async () => {
      const plain = { usage_count: 1, lock_time: 0 };
      await server.view("/add_tokens", { ...plain, count: 10_020, label: "Ticket {n:05}" });
      await visitor.open("/sheet?q=Ticket&sheet=avery-l7651");
      await visitor.says("10,020 tokens", "Create 2 PDFs");
      await visitor.check("sheet of many");
      await visitor.click("button", "Create 2 PDFs");
      assert.match(visitor.path(), /^\/print_jobs\//);
      await visitor.page.getByText("Part 2 of 2", { exact: true }).waitFor({ timeout: 240_000 });
      await visitor.page.getByText("Creating 2 PDFs").waitFor({ state: "detached", timeout: 60_000 });
      await visitor.says("10,020 tokens on Avery L7651");
      await visitor.check("printed in parts");
    });
  });
}
